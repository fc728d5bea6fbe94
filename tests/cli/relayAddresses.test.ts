import { expect } from "chai";
import { clientConfigOf } from "../../cli/clients";
import { addressOf, type AddressOptions, readAddresses } from "../../cli/relayAddresses";
import { refusal } from "../refusal";

const topicArn = "arn:aws:sns:eu-west-1:111122223333:topic";

function read(options: AddressOptions, texts: Record<string, string>) {
  const answer = (name: string) => Promise.resolve(texts[name] ?? "");
  return readAddresses(options, {
    readFile: (path) => answer(`file ${path}`),
    readStdin: () => answer("stdin"),
    stackOutput: (stack = "the selected one") => answer(`stack ${stack}`),
  });
}

describe("the relay's addresses", () => {
  const json = JSON.stringify({ topicArn });
  const places: [string, AddressOptions, string][] = [
    ["a file", { addresses: "relay.json" }, "file relay.json"],
    ["what is piped in", { addresses: "-" }, "stdin"],
    ["the selected stack", {}, "stack the selected one"],
    ["the stack that is named", { stack: "prod" }, "stack prod"],
  ];
  for (const [name, options, place] of places) {
    it(`are read from ${name}`, async () => {
      expect(await read(options, { [place]: json })).to.deep.equal({ topicArn });
    });
  }

  it("are found under one output, and the ones that there are are named where it is another", async () => {
    const texts = { "stack the selected one": JSON.stringify({ url: "x", chat: { topicArn } }) };
    expect(await read({ output: "chat" }, texts)).to.deep.equal({ topicArn });
    for (const output of ["relay", "url"]) {
      const { message } = await refusal(read({ output }, texts));
      expect(message).to.match(new RegExp(`--output: got "${output}".*allowed: chat.*Export the relay's addresses`));
    }
  });

  it("that are no JSON object are refused, saying what to give", async () => {
    expect((await refusal(read({ addresses: "-" }, { stdin: "hello" }))).message).to.match(
      /what was piped in is not JSON.*npm start/,
    );
    for (const text of ["[]", "null", '"a"']) {
      expect((await refusal(read({ addresses: "f" }, { "file f": text }))).message).to.match(
        /f is JSON, but not an object/,
      );
    }
  });

  it("that lack one say so, what there is, and where it is where it is nested", () => {
    expect(addressOf({ topicArn }, "topicArn")).to.equal(topicArn);
    expect(() => addressOf({ topicArn }, "queueUrl")).to.throw(/no queueUrl \(they have: topicArn\).*--addresses FILE/);
    expect(() => addressOf({}, "queueUrl")).to.throw(/they have: nothing/);
    const nested = { websocketUrl: "x", chat: { queueUrl: "y" } };
    expect(() => addressOf(nested, "queueUrl")).to.throw(/no queueUrl.*give --output chat/);
  });
});

describe("the clients", () => {
  it("take the topic's region and the SDK's own credentials against AWS", () => {
    expect(clientConfigOf({ topicArn })).to.deep.equal({ region: "eu-west-1" });
  });

  it("take region and credentials of the addresses against the local run", () => {
    const local = { topicArn, region: "eu-central-1", accessKeyId: "local", secretAccessKey: "local" };
    expect(clientConfigOf(local)).to.deep.equal({
      region: "eu-central-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
  });

  it("refuse what is no topic", () => {
    expect(() => clientConfigOf({ topicArn: "topic" })).to.throw(/topicArn: got "topic"; allowed: an SNS topic's ARN/);
  });
});
