import { expect } from "chai";
import { answeredSubprotocol } from "../../../handlers/connect/subprotocol";
import { connectEvent } from "../../support/events";

describe("answeredSubprotocol", () => {
  for (const [offered, answered] of [
    ["websocket-relay.raw", "websocket-relay.raw"],
    ["websocket-relay.bearer.a, websocket-relay.raw", "websocket-relay.raw"],
    ["chat,websocket-relay.raw", "websocket-relay.raw"],
    ["websocket-relay.v1, websocket-relay.raw, websocket-relay.bearer.a", "websocket-relay.raw"],
    ["websocket-relay.bearer.a", "websocket-relay.bearer.a"],
    ["chat, websocket-relay.bearer.a.b-c_d", "websocket-relay.bearer.a.b-c_d"],
  ] as const) {
    it(`is ${answered} where the client offers ${offered}`, () => {
      const event = connectEvent({ headers: { "sec-websocket-protocol": offered } });
      expect(answeredSubprotocol(event)).to.deep.equal({ value: answered });
    });
  }

  it("is one of those that came in several headers", () => {
    const event = connectEvent({ multiValueHeaders: { "Sec-WebSocket-Protocol": ["chat", "websocket-relay.raw"] } });
    expect(answeredSubprotocol(event)).to.deep.equal({ value: "websocket-relay.raw" });
  });

  for (const headers of [{}, { "sec-websocket-protocol": " , " }] as Record<string, string>[]) {
    it(`is none where the client offers none: ${JSON.stringify(headers)}`, () => {
      expect(answeredSubprotocol(connectEvent({ headers }))).to.deep.equal({ value: undefined });
    });
  }

  // The last two ask for envelopes: who does is not to be given messages without.
  for (const offered of [
    ...["chat", "Websocket-Relay.Raw", "websocket-relay.raw2"],
    ...["websocket-relay.v1", "websocket-relay.bearer.a, websocket-relay.v1"],
  ]) {
    it(`does not exist where the client offers ${offered} alone`, () => {
      const event = connectEvent({ headers: { "sec-websocket-protocol": offered } });
      expect(answeredSubprotocol(event)).to.deep.equal({
        reason: "none of the offered subprotocols is supported: offer websocket-relay.raw",
      });
    });
  }
});
