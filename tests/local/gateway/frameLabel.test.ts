import { expect } from "chai";
import { frameLabel, hasMessage } from "../../../local/gateway/frameLabel";

describe("the label of a frame to a client", () => {
  const message = (seq: number) => ({ type: "message", epoch: "e", seq, id: `m-${seq}`, body: "a secret" });
  const label = (frame: unknown) => frameLabel(JSON.stringify(frame), "websocket-relay.v1");

  it("names what it holds, in order, a run of numbers as one, and nothing that was published", () => {
    const hello = { type: "hello", oldest: 1, newest: 5 };
    const resumed = { type: "resumed", recovered: true, first: 3, through: 5 };
    expect(label([hello, resumed, message(3), message(4), message(5)])).to.equal("hello, resumed, message 3 to 5");
    expect(label(message(7))).to.equal("message 7");
    expect(label([message(7), message(9), message(10)])).to.equal("message 7, message 9 to 10");
    expect(label({ type: "superseded" })).to.equal("superseded");
  });

  it("names all numbers of an envelope that covers several", () => {
    expect(label({ ...message(7), first: 3 })).to.equal("message 3 to 7");
    expect(label([message(2), { ...message(7), first: 3 }, message(8)])).to.equal("message 2 to 8");
    expect(label([message(2), { ...message(7), first: 4 }])).to.equal("message 2, message 4 to 7");
  });

  it("is message for every other protocol, whatever was published looks like", () => {
    const published = JSON.stringify(message(3));
    expect(frameLabel(published, undefined)).to.equal("message");
    expect(frameLabel(published, "websocket-relay.raw")).to.equal("message");
  });

  it("says so where a frame of the protocol is no JSON", () => {
    expect(frameLabel("{", "websocket-relay.v1")).to.equal("a frame that is no JSON");
  });
});

describe("a frame to a client", () => {
  const message = { type: "message", epoch: "e", seq: 1, id: "m-1", body: "a secret" };
  for (const [what, frame, expected] of [
    ["a message", message, true],
    ["a message after the answer to a resume", [{ type: "resumed" }, message], true],
    ["the relay's own answer alone", { type: "hello" }, false],
  ] as const) {
    it(`${expected ? "holds" : "does not hold"} what a backend published where it is ${what}`, () => {
      expect(hasMessage(JSON.stringify(frame), "websocket-relay.v1")).to.equal(expected);
    });
  }

  it("holds what a backend published in every other protocol, and nothing where it is no JSON", () => {
    expect(hasMessage(JSON.stringify({ type: "hello" }), undefined)).to.equal(true);
    expect(hasMessage("{", "websocket-relay.v1")).to.equal(false);
  });
});
