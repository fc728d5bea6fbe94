import { cursor, hello, message, OTHER_EPOCH, resumed } from "../envelopes";
import type { Requirement } from "../requirement";
import { Unmet } from "../unmet";
import type { Connection } from "../scriptedRelay";
import { reconnected } from "./resume";

const ACK_SECONDS = 2;
/** For a busy machine. */
const TOLERANCE_SECONDS = 3;

export const acknowledge: Requirement[] = [
  {
    id: "R6.1",
    level: "must",
    text: "acknowledges within the relay's ackSeconds after it has handled a message",
    async play(stage) {
      const connection = await stage.opened({}, { ackSeconds: ACK_SECONDS });
      connection.send(message(3));
      await stage.shows("m3");
      const shownAtMs = performance.now();
      await stage.until("an ack with the cursor of message 3", () => acknowledged(connection, 3));
      const seconds = (performance.now() - shownAtMs) / 1_000;
      if (seconds <= ACK_SECONDS + TOLERANCE_SECONDS) return;
      throw new Unmet(
        `expected an ack ${ACK_SECONDS} s after the message was printed; got it after ${seconds.toFixed(1)} s`,
      );
    },
  },
  {
    id: "R6.2",
    level: "should",
    text: "acknowledges before it closes its connection",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(3));
      await stage.shows("m3");
      await stage.end();
      await stage.until("the end of the connection", () => connection.isClosed || undefined);
      if (!acknowledged(connection, 3)) throw new Unmet(`expected an ack with ${JSON.stringify(cursor(3))}; got none`);
    },
  },
  {
    id: "R6.3",
    level: "should",
    text: "sends no ack for each message if the relay names no ackSeconds",
    async play(stage) {
      const connection = await stage.opened();
      for (const seq of [3, 4, 5]) connection.send(message(seq));
      await stage.shows("m3", "m4", "m5");
      await stage.quiet(stage.quietMs, () => unwanted(connection, "without ackSeconds"));
    },
  },
  {
    id: "R6.4",
    level: "should",
    text: "sends no ack after recovered: false before its cursor has moved",
    async play(stage) {
      const connection = await reconnected(stage);
      const lost = resumed(5, 4, { recovered: false, lost: "epoch" });
      connection.send(hello(4, { epoch: OTHER_EPOCH, oldest: 5, ackSeconds: 1 }), lost);
      await stage.prints("gap");
      await stage.quiet(Math.max(stage.quietMs, 1_500), () => unwanted(connection, "before the cursor has moved"));
    },
  },
];

export function acknowledged(connection: Connection, seq: number): true | undefined {
  return connection.sent("ack").some((ack) => ack.cursor.seq === seq) || undefined;
}

function unwanted(connection: Connection, when: string): string | undefined {
  const [ack] = connection.sent("ack");
  return ack && `expected no ack ${when}; got ${JSON.stringify(ack)}`;
}
