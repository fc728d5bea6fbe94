import { expect } from "chai";
import { originIsAllowed } from "../../handlers/origin";
import { connectEvent } from "./events";

describe("originIsAllowed", () => {
  const allowed = ["https://app.test", "https://api.test:8443"];
  for (const [origin, expected] of [
    ["https://app.test", true],
    ["https://api.test:8443", true],
    ["http://app.test", false],
    ["https://app.test:8443", false],
    ["https://evil-app.test", false],
    ["https://app.test.evil.test", false],
    ["https://app.test/", false],
    ["HTTPS://APP.TEST", false],
    ["null", false],
    ["", false],
    [undefined, false],
  ] as const) {
    it(`${expected ? "allows" : "does not allow"} the origin ${origin}`, () => {
      const event = connectEvent({ headers: origin === undefined ? {} : { oRIGIN: origin } });
      expect(originIsAllowed(event, allowed)).to.equal(expected);
    });
  }

  it("does not allow the origin null, even on the list", () => {
    expect(originIsAllowed(connectEvent({ headers: { origin: "null" } }), ["null"])).to.equal(false);
  });

  it("does not allow two origins", () => {
    const event = connectEvent({ multiValueHeaders: { Origin: ["https://app.test", "https://evil.test"] } });
    expect(originIsAllowed(event, allowed)).to.equal(false);
  });

  for (const [origin, headers] of [
    ["any origin", { origin: "https://evil.test" }],
    ["the origin null", { origin: "null" }],
    ["no origin", {}],
  ] as [string, Record<string, string>][]) {
    it(`allows ${origin} where every origin is allowed`, () => {
      expect(originIsAllowed(connectEvent({ headers }), null)).to.equal(true);
    });
  }
});
