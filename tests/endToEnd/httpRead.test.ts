import { expect } from "chai";
import type { RelayBackend } from "../../backend";
import type { MessageEnvelope } from "../../protocol";
import { administratorOf } from "./flows";
import { startProgram } from "./program";
import { recipient, type Recipient, type Relay } from "./relay";
import { ReplayClient } from "./replayClient";

const origin = "https://app.relay.dev";
/** Only the test of this limit reaches it. */
const burst = 60;

const program = `
const relay = new WebsocketRelay("relay", {
  auth,
  delivery: "replay",
  allowedOrigins: ["${origin}"],
  // Many messages of a session at a time.
  batchSize: 100,
  maximumBatchingWindowInSeconds: 1,
  maximumConcurrency: 2,
  httpRead: true,
  httpReadThrottlingRateLimit: 1,
  httpReadThrottlingBurstLimit: ${burst},
});`;

describe("reading over HTTP, end to end on one machine", () => {
  let relay: Relay;
  let backend: RelayBackend;

  before(async () => {
    relay = await startProgram(program);
    backend = administratorOf(relay);
  });
  after(() => relay?.stop());

  const urlOf = ({ context, contextId }: Omit<Recipient, "user">, offset?: string) => {
    const url = new URL(relay.addresses.readUrl ?? "");
    url.search = new URLSearchParams({ context, contextId, ...(offset !== undefined && { offset }) }).toString();
    return url;
  };
  const read = async (from: Recipient, { headers = {}, offset, method = "GET" }: Given = {}) => {
    const authorization = `Bearer ${await relay.token(from.user)}`;
    return fetch(urlOf(from, offset), { method, headers: { authorization, ...headers }, signal: relay.signal });
  };
  const messagesOf = async (response: Response) => (await response.json()) as MessageEnvelope[];
  it("answers the messages of a session, and from an offset on those after it, without acknowledging any", async () => {
    const to = { ...recipient(), contextId: "a/b?c#d%2F é" };
    const client = await ReplayClient.connect(relay, to);
    await relay.publish({ ...to, messageId: "one" }, "first");
    const { epoch } = await client.message(1);
    const response = await read(to);
    expect(response.status).to.equal(200);
    expect(await messagesOf(response)).to.deep.equal([{ type: "message", epoch, seq: 1, id: "one", body: "first" }]);
    expect(response.headers.get("stream-up-to-date")).to.equal("true");

    await relay.publish({ ...to, messageId: "two" }, "second");
    await client.message(2);
    const offset = response.headers.get("stream-next-offset") ?? "";
    expect((await messagesOf(await read(to, { offset }))).map(({ seq, body }) => [seq, body])).to.deep.equal([
      [2, "second"],
    ]);
    expect((await relay.metrics())("Acknowledged")).to.equal(0);
  });

  it("answers 1,000 messages in pages, each once and in order, with their numbers", async () => {
    const to = recipient();
    const bodies = Array.from({ length: 1_000 }, (_, index) => `message ${index}`);
    await backend.publishBatch(bodies.map((message) => ({ ...to, message })));
    await relay.untilQueueIsEmpty();
    const messages: MessageEnvelope[] = [];
    let offset: string | undefined;
    let isUpToDate = false;
    while (!isUpToDate) {
      const page = await read(to, { offset });
      expect(page.status).to.equal(200);
      messages.push(...(await messagesOf(page)));
      offset = page.headers.get("stream-next-offset") ?? "";
      isUpToDate = page.headers.get("stream-up-to-date") === "true";
    }
    expect(messages.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: 1_000 }, (_, index) => index + 1));
    expect(messages.map(({ body }) => body)).to.have.members(bodies);
    // A client goes on over the WebSocket from there.
    const client = await ReplayClient.connect(relay, to);
    const [cursor] = messages.slice(-1).map(({ epoch, seq }) => ({ epoch, seq }));
    expect(await client.resume({ cursor })).to.deep.include({ recovered: true, through: 1_000 });
  });

  it("refuses a request without a token with 401, and one with a wrong token", async () => {
    const to = recipient();
    for (const authorization of ["", "Bearer a.b.c", `Bearer ${await relay.token(to.user, "&iss=https://evil.dev")}`]) {
      const response = await read(to, { headers: { authorization } });
      expect(response.status, authorization).to.equal(401);
      expect(response.headers.get("www-authenticate")).to.equal("Bearer");
    }
  });

  it("answers a page of an allowed origin, preflight included, and refuses another page with 403", async () => {
    const to = recipient();
    const asked = { "access-control-request-method": "GET", "access-control-request-headers": "authorization" };
    const preflight = await fetch(urlOf(to), { method: "OPTIONS", headers: { origin, ...asked } });
    expect(preflight.status).to.equal(204);
    expect(preflight.headers.get("access-control-allow-origin")).to.equal(origin);
    expect(preflight.headers.get("access-control-allow-headers")).to.match(/authorization/i);
    const allowed = await read(to, { headers: { origin } });
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).to.deep.equal([200, origin]);

    const foreign = { origin: "https://evil.dev" };
    const refused = await fetch(urlOf(to), { method: "OPTIONS", headers: { ...foreign, ...asked } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).to.deep.equal([403, null]);
    expect((await read(to, { headers: foreign })).status).to.equal(403);
  });

  it("refuses a user who is blocked, with 403", async () => {
    const to = recipient();
    await backend.disconnectUser(to.user, { blockSeconds: 60 });
    expect((await read(to)).status).to.equal(403);
  });

  it("answers HEAD without a body, another method with 405, and another path as API Gateway does, with 404", async () => {
    const to = recipient();
    const head = await read(to, { method: "HEAD" });
    expect([head.status, await head.text()]).to.deep.equal([200, ""]);
    const deleted = await read(to, { method: "DELETE" });
    expect([deleted.status, deleted.headers.get("allow")]).to.deep.equal([405, "GET, HEAD, OPTIONS"]);
    const elsewhere = await fetch(new URL("/messages", relay.addresses.readUrl));
    expect([elsewhere.status, await elsewhere.json()]).to.deep.equal([404, { message: "Not Found" }]);
  });

  it("answers 429 to requests beyond the limit of the HTTP API", async () => {
    const to = recipient();
    const statuses: number[] = [];
    for (let sent = 0; sent <= 2 * burst && statuses.at(-1) !== 429; sent++) statuses.push((await read(to)).status);
    expect(statuses[0]).to.equal(200);
    expect(statuses.at(-1)).to.equal(429);
  });
});

interface Given {
  headers?: Record<string, string>;
  offset?: string;
  method?: string;
}
