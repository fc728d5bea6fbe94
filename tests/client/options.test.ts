import { expect } from "chai";
import { RelayClient, RelayClientError, type RelayClientOptions } from "../../client";
import { FakeSockets } from "../support/fakeSocket";

const options: RelayClientOptions = {
  url: "wss://relay.test/live",
  context: "chat",
  contextId: "7",
  onMessage: () => undefined,
  WebSocket: new FakeSockets().WebSocket,
};

describe("the client's options", () => {
  for (const [name, value, allowed] of [
    ["url", "https://relay.test", "wss://"],
    ["url", "wss://relay.test/#live", "without a fragment"],
    ["url", undefined, "wss://"],
    ["context", "", "1 character"],
    ["context", "a#b", "without #"],
    ["contextId", 7, "a string"],
    ["onMessage", undefined, "a function"],
    ["onGap", "log", "a function"],
    ["token", "eyJh", "a function"],
    ["from", "newest", '"acknowledged", "oldest" or { epoch, seq }'],
    ["cursorStore", {}, "{ get, set }"],
    ["WebSocket", undefined, "a class. Fix: pass the one of the package ws"],
    ["heartbeatIntervalMs", 600_000, "a number from 1 to 540000"],
    ["heartbeatTimeoutMs", 0, "a number from 1 to 540000"],
    ["connectTimeoutMs", "30", "a number from 1 to 600000"],
    ["maxConnectionMs", 7_200_001, "a number from 1 to 7200000"],
    ["resumeTimeoutMs", NaN, "a number from 1 to 600000"],
    ["gapWaitMs", -1, "a number from 0 to 600000"],
    ["maxBufferedMessages", 0, "a number from 1 to 1000000"],
    ["ackDelayMs", -1, "a number from 0 to 600000"],
    ["ackEveryMessages", 0, "a number from 1 to 1000000"],
    ["backoffBaseMs", 0, "a number from 1 to 86400000"],
    ["backoffCapMs", Infinity, "a number from 1 to 86400000"],
    ["onMesage", () => undefined, "onMessage"],
  ] as const) {
    it(`refuse ${name} ${String(value)}, with its name, its value, the allowed values and a fix`, () => {
      const refused = refusal({ ...options, [name]: value } as RelayClientOptions);
      expect(refused).to.be.instanceOf(RelayClientError).and.to.include({ code: "input", name: "RelayClientError" });
      expect(refused?.message.startsWith(`${name} is `), refused?.message).to.equal(true);
      expect(refused?.message).to.include(allowed);
      expect(refused?.message).to.match(/; allowed: .+\. Fix: .+/);
    });
  }

  it("do not quote a token that was passed instead of a function", () => {
    expect(refusal({ ...options, token: "secret" as never })?.message).to.not.include("secret");
  });

  it("may be left undefined", () => {
    const names = ["token", "onGap", "onExpired", "onStateChange", "onError", "cursorStore", "from", "clock", "random"];
    const undefinedOnes = Object.fromEntries([...names, "heartbeatIntervalMs"].map((name) => [name, undefined]));
    expect(refusal({ ...options, ...undefinedOnes })).to.equal(undefined);
  });

  it("are read once", () => {
    const mine = { ...options };
    const client = new RelayClient(mine);
    mine.url = "wss://elsewhere.test";
    expect(() => client.connect()).to.not.throw();
    client.close();
  });
});

function refusal(given: RelayClientOptions): RelayClientError | undefined {
  try {
    new RelayClient(given);
    return undefined;
  } catch (error) {
    return error as RelayClientError;
  }
}
