import { once } from "node:events";
import { expect } from "chai";
import { recipient, Relay } from "../endToEnd/relay";
import { BackendApp } from "./backendApp";

describe("the backend of the Fargate example", () => {
  let relay!: Relay;
  let app!: BackendApp;
  let url!: string;

  before(async () => {
    relay = await Relay.start();
    app = await BackendApp.start(relay);
    url = `http://127.0.0.1:${app.port}`;
  });
  after(async () => {
    await app.stop();
    await relay.stop();
  });

  const post = (path: string, body: unknown) => fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body) });

  it("publishes what it is posted, and the client gets it", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    const response = await post("/replies", { user: to.user, chatId: to.contextId, text: "hello" });
    expect(response.status).to.equal(202);
    const { messageId } = (await response.json()) as { messageId: string };
    const delivered = await relay.log({ event: "delivered", messageId });
    expect(delivered.callerId).to.equal(`user#${to.user}`);
    while (client.messages.length === 0) await once(client.socket, "message");
    expect(JSON.parse(client.messages[0] ?? "")).to.include({ text: "hello" });
  });

  it("answers 400, and publishes nothing, for what the relay could never deliver", async () => {
    const { user } = recipient();
    const large = await post("/replies", { user, chatId: "7", text: "x".repeat(131_072) });
    expect(large.status).to.equal(400);
    expect(((await large.json()) as { error: string }).error).to.match(/^message: 13\d{4} bytes.*131072.*split/);
    expect((await post("/replies", { user: "", chatId: "7", text: "hello" })).status).to.equal(400);
  });

  it("signs a user out: closes the connection, and keeps the user out for a while", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    const closed = once(client.socket, "close");
    const response = await post("/sign-outs", { user: to.user });
    expect(response.status).to.equal(200);
    expect(await response.json()).to.include({ connectionsClosed: 1, sessionsCleared: 1 });
    await closed;
    const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
    expect((await relay.handshake(relay.url(to), { headers })).status).to.equal(403);
  });

  it("says that it is up, and what it knows", async () => {
    expect((await fetch(`${url}/health`)).status).to.equal(200);
    expect((await fetch(`${url}/other`)).status).to.equal(404);
  });
});
