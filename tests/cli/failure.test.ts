import { expect } from "chai";
import { failureText } from "../../cli/failure";
import { run } from "../../cli/program";

describe("a failure on the command line", () => {
  const failed: [what: string, error: Error, text: string | RegExp][] = [
    [
      "credentials that are missing",
      named("CredentialsProviderError", "Could not load credentials from any providers"),
      /^Could not load credentials from any providers\. Fix: set valid AWS credentials: AWS_PROFILE/,
    ],
    [
      "credentials that have expired",
      named("ExpiredTokenException", "The security token included in the request is expired."),
      /^The security token included in the request is expired\. Fix: set valid AWS credentials: AWS_PROFILE/,
    ],
    [
      "a network that is down",
      Object.assign(new Error("getaddrinfo ENOTFOUND dynamodb.eu-west-1.amazonaws.com"), { code: "ENOTFOUND" }),
      /^getaddrinfo ENOTFOUND dynamodb\.eu-west-1\.amazonaws\.com\. Fix: check the network/,
    ],
    [
      "a host without a responding address",
      Object.assign(new AggregateError([new Error("connect ECONNREFUSED ::1:1"), new Error("no route")]), {
        code: "ECONNREFUSED",
      }),
      /^connect ECONNREFUSED ::1:1; no route\. Fix: check the network/,
    ],
    [
      "a table that does not exist",
      named("ResourceNotFoundException", "Requested resource not found"),
      /^Requested resource not found\. Fix: check that the addresses belong to a deployed relay/,
    ],
    [
      "an error that needs no fix",
      named("AccessDeniedException", "User: x is not authorized to perform: dynamodb:Query"),
      "User: x is not authorized to perform: dynamodb:Query",
    ],
    ["an error without a message", named("UnknownError", ""), "UnknownError"],
  ];
  for (const [what, error, text] of failed) {
    it(`is one line for ${what}`, () => {
      if (typeof text === "string") expect(failureText(error)).to.equal(text);
      else
        expect(failureText(error))
          .to.match(text)
          .and.match(/^[^\n]+\.$/);
    });
  }

  it("is printed with a fix and without a stack", async () => {
    const noted: string[] = [];
    const terminal = {
      print: () => {},
      note: (text: string) => void noted.push(text),
      confirm: () => Promise.resolve(false),
      interrupted: new AbortController().signal,
    };
    // Nothing listens on port 1.
    const addresses = {
      topicArn: "arn:aws:sns:eu-west-1:111122223333:topic",
      tableName: "sessions",
      dynamodbEndpoint: "http://127.0.0.1:1",
      accessKeyId: "local",
      secretAccessKey: "local",
    };
    const sources = {
      readFile: () => Promise.reject(new Error("no file")),
      readStdin: () => Promise.resolve(JSON.stringify(addresses)),
      stackOutput: () => Promise.reject(new Error("no stack")),
    };

    expect(await run(["sessions", "list", "--user", "42", "--addresses", "-"], terminal, sources)).to.equal(1);
    expect(noted).to.deep.equal([
      "error: connect ECONNREFUSED 127.0.0.1:1. Fix: check the network, and that the addresses belong to a running relay.",
    ]);
  });
});

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
