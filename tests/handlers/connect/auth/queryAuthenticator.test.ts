import { expect } from "chai";
import { queryAuthenticator } from "../../../../handlers/connect/auth/queryAuthenticator";
import { refusals } from "../../../../handlers/connect/refusals";
import { connectEvent } from "../../../support/events";

describe("queryAuthenticator", () => {
  const authenticate = (user: string | undefined, headers = {}) =>
    queryAuthenticator.authenticate(connectEvent({ headers, query: user === undefined ? {} : { user } }));

  it("believes the client, from any origin and from none, with any credential", async () => {
    expect(await authenticate("42")).to.deep.equal({ user: "42" });
    expect(await authenticate(" 42 ", { origin: "https://evil.test" })).to.deep.equal({ user: " 42 " });
    for (const headers of [
      { origin: "null" },
      { origin: "" },
      { cookie: "token=t" },
      { "sec-websocket-protocol": "websocket-relay.bearer.t" },
    ]) {
      expect(await authenticate("42", headers)).to.deep.equal({ user: "42" });
    }
  });

  for (const [name, user, message] of [
    ["no user", undefined, "the query parameter user is missing"],
    ["an empty user", "", "user is empty"],
    ["a user that is no key", "u".repeat(2048), "user: 2053 bytes as a key, at most 2048 are allowed"],
  ] as const) {
    it(`refuses ${name} with 400`, async () => {
      expect(await authenticate(user)).to.deep.equal({ refused: refusals.badRequest(message) });
    });
  }

  it("refuses a user that is given twice with 400", async () => {
    const event = connectEvent({ query: { user: "2" }, multiValueQuery: { user: ["1", "2"] } });
    expect((await queryAuthenticator.authenticate(event)).refused?.statusCode).to.equal(400);
  });
});
