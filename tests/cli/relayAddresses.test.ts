import { expect } from "chai";
import { addressSources } from "../../cli/addressSources";
import { clientConfigOf } from "../../cli/clients";
import { addressOf, type AddressOptions, readAddresses } from "../../cli/relayAddresses";
import { refusal } from "../support/refusal";

const topicArn = "arn:aws:sns:eu-west-1:111122223333:topic";

const chat = relayOf("chat");
const news = relayOf("news");

function relayOf(name: string) {
  return {
    websocketUrl: `wss://${name}.test`,
    managementEndpoint: `https://${name}.test/live`,
    topicArn: `${topicArn}-${name}`,
    queueUrl: `https://sqs.test/${name}`,
    deadLetterQueueUrl: `https://sqs.test/${name}-dead`,
    subscriptionDeadLetterQueueUrl: `https://sqs.test/${name}-subscription`,
    tableName: name,
  };
}

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
    ["stdin", { addresses: "-" }, "stdin"],
    ["the selected stack", {}, "stack the selected one"],
    ["a named stack", { stack: "prod" }, "stack prod"],
  ];
  for (const [name, options, place] of places) {
    it(`are read from ${name}`, async () => {
      expect(await read(options, { [place]: json })).to.deep.equal({ topicArn });
    });
  }

  describe("where the pulumi CLI is missing", () => {
    const { PATH } = process.env;
    before(() => void (process.env.PATH = ""));
    after(() => void (process.env.PATH = PATH));

    it("are refused with what to install, or what to pass instead", async () => {
      const { message } = await refusal(addressSources.stackOutput());
      expect(message).to.match(
        /^pulumi stack output --json failed: the pulumi CLI is not installed\. Fix: install it, or pass .* --addresses FILE/,
      );
    });
  });

  it("are found in the given output; another output is refused with the allowed ones", async () => {
    const texts = { "stack the selected one": JSON.stringify({ url: "x", chat: { topicArn } }) };
    expect(await read({ output: "chat" }, texts)).to.deep.equal({ topicArn });
    for (const output of ["relay", "url"]) {
      const { message } = await refusal(read({ output }, texts));
      expect(message).to.match(new RegExp(`^--output: got "${output}"; allowed: chat\\. Fix: export const`));
    }
  });

  describe("without --output", () => {
    const stack = (outputs: object) => ({ "stack the selected one": JSON.stringify(outputs) });

    it("are found in the smallest program's outputs, one among others", async () => {
      const { topicArn, websocketUrl } = chat;
      expect(await read({}, stack({ websocketUrl, topicArn, addresses: chat }))).to.deep.equal(chat);
    });

    it("are found in separate outputs, as in this repository's program and in the local run", async () => {
      const outputs = { ...chat, retryWindowSeconds: { shortest: 1, longest: 2 }, customDomainTarget: null };
      expect(await read({}, stack(outputs))).to.deep.equal(outputs);
      expect(await read({ addresses: "-" }, { stdin: JSON.stringify(outputs) })).to.deep.equal(outputs);
    });

    it("are found in an output of any name if it is the only relay", async () => {
      expect(await read({}, stack({ bucket: "b", site: { url: "x" }, chat }))).to.deep.equal(chat);
      expect(await read({ addresses: "f" }, { "file f": JSON.stringify({ chat }) })).to.deep.equal(chat);
    });

    it("are found if two outputs hold the same relay", async () => {
      expect(await read({}, stack({ addresses: chat, chat }))).to.deep.equal(chat);
    });

    it("of several relays are refused with the names of the outputs; --output selects one", async () => {
      const texts = stack({ url: "x", chat, news });
      expect((await refusal(read({}, texts))).message).to.equal(
        "--output: got none, and pulumi stack output has the addresses of 2 relays; allowed: chat, news. " +
          "Fix: select one, such as --output chat",
      );
      expect(await read({ output: "news" }, texts)).to.deep.equal(news);
    });

    it("are accepted unchanged if no output has all of them", async () => {
      const outputs = { topicArn, tableName: "t", chat: { topicArn } };
      expect(await read({}, stack(outputs))).to.deep.equal(outputs);
    });
  });

  it("are refused with a fix if they are not a JSON object", async () => {
    expect((await refusal(read({ addresses: "-" }, { stdin: "hello" }))).message).to.match(
      /^stdin: got text that is not JSON \(.*\); allowed: a JSON object of addresses\. Fix: pass the output of npm start/,
    );
    for (const [text, got] of [
      ["[]", "a list"],
      ["null", "null"],
      ['"a"', "a string"],
    ] as const) {
      const { message } = await refusal(read({ addresses: "f" }, { "file f": text }));
      expect(message).to.match(new RegExp(`^f: got ${got}; allowed: a JSON object of addresses\\. Fix: `));
    }
  });

  it("are refused with a fix if one is missing, also if it is in another output", () => {
    expect(addressOf({ topicArn }, "topicArn")).to.equal(topicArn);
    expect(() => addressOf({ topicArn }, "queueUrl")).to.throw(/no queueUrl; got: topicArn\. Fix: .*--addresses FILE/);
    expect(() => addressOf({}, "queueUrl")).to.throw(/got: no addresses/);
    const nested = { websocketUrl: "x", chat: { queueUrl: "y" } };
    expect(() => addressOf(nested, "queueUrl")).to.throw(/no queueUrl.*Fix: add --output chat/);
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

  it("refuse another ARN than a topic's", () => {
    expect(() => clientConfigOf({ topicArn: "topic" })).to.throw(
      /topicArn: got "topic"; allowed: the ARN of an SNS topic.*Fix: /,
    );
  });
});
