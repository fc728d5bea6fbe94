import { once } from "node:events";
import { expect } from "chai";
import { recipient, Relay } from "./relay";

describe("the throttle of heartbeats, end to end on one machine", () => {
  let relay: Relay;

  before(async () => {
    relay = await Relay.start(["--config", "pingThrottlingRateLimit=1", "--config", "pingThrottlingBurstLimit=2"]);
  });
  after(() => relay.stop());

  it("answers heartbeats over it with AWS's frame, keeps the connection, and leaves other routes alone", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    const connectionId = (await relay.session(to))?.connection_id?.S;
    for (let count = 0; count < 20; count++) client.socket.send('{"action":"ping"}');
    for (let count = 0; count < 5; count++) client.socket.send(`{"action":"other-${count}"}`);
    while (client.messages.length < 25) await once(client.socket, "message");

    const answers = client.messages.map((text) => JSON.parse(text) as { type?: string; message?: string });
    const refused = answers.filter(({ message }) => message === "Too Many Requests");
    expect(answers.filter(({ type }) => type === "pong").length + refused.length).to.equal(20);
    expect(refused.length).to.be.within(1, 18);
    expect(refused[0]).to.include({ connectionId }).and.to.have.keys(["message", "connectionId", "requestId"]);
    // Frames without a route count by the stage's own limits.
    expect(answers.filter(({ message }) => message === "Forbidden")).to.have.lengthOf(5);

    await relay.publish(to, "still here");
    await client.message("still here");
  });
});
