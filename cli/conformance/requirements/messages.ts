import { setTimeout as pause } from "node:timers/promises";
import { answer, cursor, EPOCH, hello, message, OTHER_EPOCH, resumed } from "../envelopes";
import type { Requirement } from "../requirement";
import { Unmet } from "../unmet";
import { arrivedIn } from "../stage";
import { again } from "./resume";

/** Longer than the pause before a client connects again, so that it has handled nothing by then. */
const HANDLE_MS = 2_500;

export const messages: Requirement[] = [
  {
    id: "R3.1",
    level: "must",
    text: "shows messages in the order of their numbers, in whatever order they arrive",
    async play(stage) {
      stage.start();
      const connection = await stage.connection();
      await stage.resume(connection);
      connection.send(message(3));
      connection.send(...answer(1, 2));
      await stage.shows("m1", "m2", "m3");
      connection.send(message(5));
      connection.send(message(4));
      await stage.shows("m4", "m5");
    },
  },
  {
    id: "R3.2",
    level: "must",
    text: "shows each number once",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(2));
      connection.send(message(3), message(3), message(1));
      await stage.shows("m3");
      connection.send(message(5));
      connection.send(message(5));
      connection.send(message(4));
      connection.send(message(6));
      await stage.shows("m4", "m5", "m6");
    },
  },
  {
    id: "R3.3",
    level: "must",
    text: "counts a message with expired: true as seen",
    async play(stage) {
      const connection = await stage.opened();
      connection.send({ type: "message", epoch: EPOCH, seq: 3, id: "id-3", expired: true });
      connection.send(message(4));
      await stage.shows("m4");
      connection.send({ type: "message", epoch: EPOCH, seq: 5, id: "id-5", expired: true });
      connection.close(1001);
      const next = await stage.connection("another connection");
      await stage.resume(next, cursor(5));
      next.send(...answer(6, 5));
    },
  },
  {
    id: "R3.4",
    level: "must",
    text: "does not show a message of another epoch, and resumes from its cursor",
    async play(stage) {
      const connection = await stage.opened();
      const other = { epoch: OTHER_EPOCH, body: "n1" };
      connection.send(message(3, other));
      await stage.resume(connection, cursor(2));
      const lost = resumed(1, 1, { recovered: false, lost: "epoch" });
      connection.send(hello(1, { epoch: OTHER_EPOCH }), lost, message(1, other));
      await stage.shows("n1");
    },
  },
  {
    id: "R3.5",
    level: "must",
    text: "continues after a late message of an earlier epoch",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(3, { epoch: OTHER_EPOCH, body: "late" }));
      await stage.resume(connection, cursor(2));
      connection.send(...answer(3, 2));
      connection.send(message(3));
      await stage.shows("m3");
    },
  },
  {
    id: "R4.1",
    level: "must",
    text: "requests a missing number",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(4));
      await stage.resume(connection, cursor(2));
      connection.send(...answer(3, 4));
      await stage.shows("m3", "m4");
    },
  },
  {
    id: "R4.2",
    level: "should",
    text: "waits a moment for a missing number before it requests it",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(4));
      connection.send(message(3));
      await stage.shows("m3", "m4");
      await stage.quiet(stage.quietMs, () => again(connection, 1, "for a number that has come"));
    },
  },
  {
    id: "R4.3",
    level: "must",
    text: "requests the next page",
    async play(stage) {
      stage.start();
      const connection = await stage.connection();
      await stage.resume(connection);
      connection.send(...answer(1, 2, 5));
      await stage.resume(connection, cursor(2));
      connection.send(...answer(3, 4, 5));
      await stage.resume(connection, cursor(4));
      connection.send(...answer(5, 5));
      await stage.shows("m1", "m2", "m3", "m4", "m5");
    },
  },
  {
    id: "R4.4",
    level: "must",
    text: "requests the rest of a page that does not arrive completely",
    timeLimitSeconds: 40,
    async play(stage) {
      stage.start();
      const connection = await stage.connection();
      await stage.resume(connection);
      connection.send(hello(4), resumed(1, 4), message(1), message(2), message(4));
      await stage.resume(connection, cursor(2));
      connection.send(...answer(3, 4));
      await stage.shows("m1", "m2", "m3", "m4");
    },
  },
  {
    id: "R5.1",
    level: "should",
    text: "keeps its cursor across a restart",
    async play(stage) {
      await stage.opened();
      await stage.end();
      stage.start();
      const connection = await stage.connection("a connection after the restart");
      await stage.resume(connection, cursor(2));
      connection.send(...answer(3, 3));
      await stage.shows("m3");
    },
  },
  {
    id: "R5.2",
    level: "must",
    text: "resumes and acknowledges with messages that it has handled, not with those that have only arrived",
    async play(stage) {
      stage.start({ handleMs: HANDLE_MS });
      const connection = await stage.connection();
      await stage.resume(connection);
      connection.send(hello(2, { ackSeconds: 1 }), resumed(1, 2), message(1), message(2));
      connection.close(1001);
      const next = await stage.connection("another connection");
      const resume = await stage.resume(next);
      // The frame may arrive before the line: they take different ways.
      await pause(HANDLE_MS / 10);
      const acks = stage.relay.connections.flatMap((each) => each.sent("ack"));
      const last = Math.max(resume.cursor?.seq ?? 0, ...acks.map((ack) => ack.cursor.seq));
      const handled = stage.shown.length;
      if (last > handled) {
        throw new Unmet(`expected a cursor up to ${handled}, the last message that it has printed; got ${last}`);
      }
      next.send(...answer(arrivedIn(resume) + 1, 2));
      await stage.shows("m1", "m2");
    },
  },
];
