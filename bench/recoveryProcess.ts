import { setTimeout as delay } from "node:timers/promises";
import { BODIES } from "./bodies";
import { answer, Child } from "./childProcess";
import type { Missed, Player, PlayerName, RecoveryAnswer, RecoveryRequest } from "./recovery";
import { BenchRelay } from "./relay";
import { relayPlayer } from "./relayPlayer";
import { socketIoPlayer } from "./socketIoClient";
import type { SocketIoRequest } from "./socketIoServer";

/** Lets pending work of the last reconnect, such as acknowledgements, finish before the next one. */
const PAUSE_MS = 100;

interface Players extends Record<PlayerName, Player> {
  stop(): Promise<void>;
}

let started: Promise<Players> | undefined;

answer<RecoveryRequest | { end: true }, RecoveryAnswer>(async (request) => {
  const times: RecoveryAnswer = { relay: [], socketIo: [] };
  if ("end" in request) {
    await (await started)?.stop();
    return times;
  }
  const players = await (started ??= startPlayers());
  const { missed, bodyBytes, users, reconnectsPerUser } = request;
  const text = BODIES.join("");
  const asked: Missed = {
    // Each starts at another place of the fixture's text.
    bodies: Array.from({ length: missed }, (_, index) => text.slice((index * 7) % 5_000).slice(0, bodyBytes)),
  };
  for (let user = 0; user < users; user++) {
    const clients = { relay: await players.relay.prepare(asked), socketIo: await players.socketIo.prepare(asked) };
    // The first reconnect of a user opens sockets, starts functions and warms the code: it is not counted.
    for (let reconnect = 0; reconnect <= reconnectsPerUser; reconnect++) {
      const order: PlayerName[] = reconnect % 2 === 0 ? ["relay", "socketIo"] : ["socketIo", "relay"];
      for (const name of order) {
        await delay(PAUSE_MS);
        const taken = await clients[name].reconnect();
        if (reconnect > 0) times[name].push(taken);
      }
    }
    clients.relay.end();
    clients.socketIo.end();
  }
  return times;
});

async function startPlayers(): Promise<Players> {
  const server = Child.start<SocketIoRequest, { url: string }>("socketIoServer.ts");
  const { url } = await server.ask({ start: true });
  const relay = await BenchRelay.start({ config: { delivery: "replay" } });
  return {
    relay: relayPlayer(relay),
    socketIo: socketIoPlayer(server, url),
    stop: async () => void (await Promise.all([relay.stop(), server.stop()])),
  };
}
