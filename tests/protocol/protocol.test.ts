import { expect } from "chai";
import { BEARER_SUBPROTOCOL_PREFIX, MESSAGE_ATTRIBUTES, offeredSubprotocols, SUBPROTOCOLS } from "../../protocol";

describe("protocol", () => {
  for (const [header, offered] of [
    ["a", ["a"]],
    ["a,b , c", ["a", "b", "c"]],
    [" a , ,b,", ["a", "b"]],
    ["", []],
    [" , ", []],
  ] as const) {
    it(`reads ${JSON.stringify(header)} as the offered subprotocols ${JSON.stringify(offered)}`, () => {
      expect(offeredSubprotocols(header)).to.deep.equal(offered);
    });
  }

  it("names subprotocols that a browser lets a page offer", () => {
    // A token of RFC 9110, 5.6.2: for anything else, a browser's WebSocket throws.
    for (const name of [SUBPROTOCOLS.raw, `${BEARER_SUBPROTOCOL_PREFIX}eyJhbGciOiJSUzI1NiJ9.e30.c2ln_-`]) {
      expect(name).to.match(/^[\w!#$%&'*+.^`|~-]+$/);
    }
  });

  it("leaves room for the attributes of a dead letter within the ten of a message", () => {
    expect(Object.keys(MESSAGE_ATTRIBUTES).length).to.be.at.most(7);
  });
});
