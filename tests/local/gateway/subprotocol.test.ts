import { request as httpRequest } from "node:http";
import { once } from "node:events";
import { expect } from "chai";
import { refusal } from "../../support/refusal";
import { Fixture } from "./gatewayFixture";

const bearer = "websocket-relay.bearer.eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2ln-bmF0dXJl_";

describe("a subprotocol that a client offers", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await new Fixture().deployed("$connect");
  });
  afterEach(() => fixture.close());

  const answerWith = (protocol: string) => {
    const payload = { statusCode: 200, headers: { "Sec-WebSocket-Protocol": protocol } };
    fixture.invoker.routes.$connect = () => ({ payload });
  };
  const written = () => [...fixture.labels, ...fixture.logs].join("\n");

  /** The status of a handshake with that header, which no client library would send. */
  async function statusOf(protocols: string): Promise<number | undefined> {
    const request = httpRequest(`${fixture.apiEndpoint.replace("ws:", "http:")}/dev`, {
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": Buffer.alloc(16).toString("base64"),
        "Sec-WebSocket-Protocol": protocols,
      },
    });
    request.end();
    const [{ statusCode }] = (await once(request, "response")) as [import("node:http").IncomingMessage];
    return statusCode;
  }

  it("reaches $connect as it was offered, and the one that is returned reaches the client", async () => {
    answerWith("websocket-relay.raw");
    const client = fixture.client("/dev", ["websocket-relay.raw", bearer]);
    await client.opened;
    expect(client.ws.protocol).to.equal("websocket-relay.raw");
    const { event } = await fixture.invoker.next("$connect");
    expect(event.headers["Sec-WebSocket-Protocol"]).to.equal(`websocket-relay.raw,${bearer}`);
  });

  it("may carry a token, which no trace and no log has: accepted, not returned, or answered by another", async () => {
    answerWith(bearer);
    const client = fixture.client("/dev", [bearer]);
    await client.opened;
    expect(client.ws.protocol).to.equal(bearer);
    for (const answer of [`${bearer}other`, `websocket-relay.raw, ${bearer}`]) {
      answerWith(answer);
      const refused = fixture.client("/dev", ["websocket-relay.raw", bearer]);
      expect((await refusal(refused.opened)).message).to.equal("Server sent no subprotocol");
    }
    fixture.invoker.routes.$connect = () => ({ payload: { statusCode: 401 } });
    expect((await fixture.client("/dev", [bearer]).refused).status).to.equal(401);
    expect(written()).to.include("has not offered").and.not.to.include("bearer").and.not.to.include("c2VjcmV0");
  });

  for (const [what, protocols] of [
    ["the padding of base64", "a.b=="],
    ["a space", "a b"],
    ["nothing between two commas", "a,,b"],
    ["the same twice", "a, a"],
  ] as const) {
    it(`is answered 400, before $connect runs, with ${what}`, async () => {
      expect(await statusOf(protocols)).to.equal(400);
      expect(fixture.invoker.invoked).to.deep.equal([]);
    });
  }
});
