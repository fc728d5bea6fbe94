import { answer, cursor, message } from "../envelopes";
import type { Requirement } from "../requirement";
import type { Connection } from "../scriptedRelay";
import type { Stage } from "../stage";

/** The next ping after a throttled one comes after twice the idle time, less a random part of 30 %. */
const SLOWER = 1.3;

export const heartbeat: Requirement[] = [
  {
    id: "R7.1",
    level: "must",
    text: "detects a dead connection by a ping without an answer, and reconnects",
    timeLimitSeconds: 60,
    async play(stage) {
      const connection = await stage.opened();
      connection.pingAnswer = "nothing";
      const next = await stage.connection("another connection in place of a dead one");
      await stage.resume(next, cursor(2));
      next.send(...answer(3, 3));
      await stage.shows("m3");
    },
  },
  {
    id: "R7.2",
    level: "must",
    text: "treats any frame after a ping as a sign of life",
    timeLimitSeconds: 60,
    async play(stage) {
      const connection = await stage.opened();
      connection.pingAnswer = "nothing";
      let seq = 2;
      connection.onPing = () => connection.send(message((seq += 1)));
      await pinged(stage, connection);
      await stage.quiet(stage.pongWaitMs, () => replaced(stage, connection));
      await stage.shows(...Array.from({ length: seq - 2 }, (_, index) => `m${index + 3}`));
    },
  },
  {
    id: "R7.3",
    level: "must",
    text: "keeps a connection whose ping is answered with Too Many Requests",
    timeLimitSeconds: 60,
    async play(stage) {
      const connection = await stage.opened();
      connection.pingAnswer = "throttled";
      await pinged(stage, connection);
      await stage.quiet(stage.pongWaitMs, () => replaced(stage, connection));
      connection.send(message(3));
      await stage.shows("m3");
    },
  },
  {
    id: "R7.4",
    level: "should",
    text: "sends the next ping later after Too Many Requests",
    timeLimitSeconds: 60,
    async play(stage) {
      const connection = await stage.opened();
      const shownAtMs = performance.now();
      connection.pingAnswer = "throttled";
      const firstMs = await pinged(stage, connection);
      await stage.quiet(SLOWER * (firstMs - shownAtMs), () =>
        connection.sent("ping").length > 1
          ? `expected the next ping after ${SLOWER} times the idle time or later; got it earlier`
          : replaced(stage, connection),
      );
    },
  },
];

/** @returns When the first ping came. */
function pinged(stage: Stage, connection: Connection): Promise<number> {
  return stage.until("a ping", () => connection.received.find(({ frame }) => frame.action === "ping")?.atMs);
}

function replaced({ relay }: Stage, connection: Connection): string | undefined {
  if (connection.isClosed) return `expected that the connection stays; the client has closed it`;
  return relay.handshakes.length > 1 ? "expected that the connection stays; the client has connected again" : undefined;
}
