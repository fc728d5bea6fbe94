import { once } from "node:events";
import { expect } from "chai";
import WebSocket from "ws";
import { idsIn, loseConnection } from "./flows";
import { startProgram } from "./program";
import { type Client, recipient, type Recipient, type Relay } from "./relay";
import { ReplayClient } from "./replayClient";

const programWith = (delivery: string) => `
const relay = new WebsocketRelay("relay", { auth, delivery: "${delivery}", connections: "all" });`;

const newestOf = async (relay: Relay, to: Recipient) => (await relay.session(to))?.connection_id?.S ?? "";

/** Ten open connections, each with its id, the oldest first. */
async function ten<T>(connect: () => Promise<T>): Promise<T[]> {
  const clients: T[] = [];
  while (clients.length < 10) clients.push(await connect());
  return clients;
}

describe("a session with ten connections, end to end on one machine", () => {
  describe("in retry mode", () => {
    let relay: Relay;
    before(async () => {
      relay = await startProgram(programWith("retry"));
    });
    after(() => relay?.stop());

    it("has a place for another raw client once one of them is gone, and none before", async () => {
      const to = recipient();
      const connect = async (): Promise<[Client, string]> => [await relay.connect(to), await newestOf(relay, to)];
      const clients = await ten(connect);
      await relay.table.ageSession(to, 120);
      const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
      const refused = await relay.handshake(relay.url(to), { headers });
      expect(refused.status).to.equal(409);
      expect((await idsIn(relay, to)).sort()).to.deep.equal(clients.map(([, id]) => id).sort());

      const [lost, lostId] = clients[4] ?? expect.fail();
      await loseConnection(relay, lost, lostId);
      const [, id] = await connect();
      const ids = clients.map(([, each]) => each).filter((each) => each !== lostId);
      expect((await idsIn(relay, to)).sort()).to.deep.equal([...ids, id].sort());
    });
  });

  describe("in replay mode", () => {
    let relay: Relay;
    before(async () => {
      relay = await startProgram(programWith("replay"));
    });
    after(() => relay?.stop());

    it("tells and closes the oldest that speaks the protocol when another client connects", async () => {
      const to = recipient();
      const [oldest, ...others] = await ten(() => ReplayClient.connect(relay, to));
      const closed = oldest && once(oldest.client.socket, "close");
      await ReplayClient.connect(relay, to);
      await oldest?.until("superseded");
      await closed;
      expect(others.map(({ client }) => client.socket.readyState)).to.deep.equal(others.map(() => WebSocket.OPEN));
      await relay.log({ event: "disconnected", connectionId: oldest?.connectionId });
      expect(await idsIn(relay, to))
        .to.have.length(10)
        .and.not.include(oldest?.connectionId);
    });
  });
});
