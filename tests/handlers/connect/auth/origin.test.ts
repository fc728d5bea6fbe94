import { expect } from "chai";
import { originIsAllowed } from "../../../../handlers/connect/auth/origin";
import { connectEvent } from "../../../support/events";

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

  for (const [allowedOrigin, origin, expected] of [
    ["capacitor://localhost", "capacitor://localhost", true],
    ["capacitor://localhost", "https://localhost", false],
    ["capacitor://localhost", "capacitor://localhost:80", false],
    ["capacitor://localhost", "ionic://localhost", false],
    ["safari-web-extension://E5A2", "safari-web-extension://e5a2", false],
    ["file://", "file://", true],
    ["file://", "file:///home", false],
    ["file://", "null", false],
    ["https://*.app.test", "https://a.app.test", true],
    ["https://*.app.test", "https://pr-7_x.app.test", true],
    ["https://*.app.test", `https://${"a".repeat(63)}.app.test`, true],
    ["https://*.app.test", `https://${"a".repeat(64)}.app.test`, false],
    ["https://*.app.test", "https://app.test", false],
    ["https://*.app.test", "https://.app.test", false],
    ["https://*.app.test", "https://*.app.test", false],
    ["https://*.app.test", "https://a.b.app.test", false],
    ["https://*.app.test", "https://evilapp.test", false],
    ["https://*.app.test", "https://a-app.test", false],
    ["https://*.app.test", "https://evil.test/.app.test", false],
    ["https://*.app.test", "https://evil.test:443.app.test", false],
    ["https://*.app.test", "https://evil.test#.app.test", false],
    ["https://*.app.test", "https://evil@.app.test", false],
    ["https://*.app.test", "https://a.app.test.evil.test", false],
    ["https://*.app.test", "https://a.app.test:8443", false],
    ["https://*.app.test", "http://a.app.test", false],
    ["https://*.app.test", "https://A.app.test", false],
    ["https://*.app.test", "https://a\n.app.test", false],
    ["https://*.app.test", "null", false],
    ["https://*.app.test:8443", "https://a.app.test:8443", true],
    ["https://*.app.test:8443", "https://a.app.test", false],
  ] as const) {
    const name = JSON.stringify(origin.replace(/a{60,}/, (letters) => `[${letters.length} letters]`));
    it(`${expected ? "allows" : "does not allow"} the origin ${name} by ${allowedOrigin}`, () => {
      const event = connectEvent({ headers: { origin } });
      expect(originIsAllowed(event, ["https://other.test", allowedOrigin])).to.equal(expected);
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
