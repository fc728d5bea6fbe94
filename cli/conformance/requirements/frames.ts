import { MAX_PAYLOAD_BYTES } from "../../../protocol";
import { cursor, EPOCH, hello, message, resumed } from "../envelopes";
import type { Requirement } from "../requirement";

/** Below the largest number of the protocol: `first` of an empty answer is one more. */
const LARGEST_SEQ = 2 ** 53 - 2;

export const frames: Requirement[] = [
  {
    id: "F1",
    level: "must",
    text: "handles the envelopes of a frame in their order, frame by frame",
    async play(stage) {
      stage.start();
      const connection = await stage.connection();
      await stage.resume(connection);
      connection.send(hello(4), resumed(1, 4), message(1), message(2));
      connection.send(message(3));
      connection.send(message(4), message(5));
      await stage.shows("m1", "m2", "m3", "m4", "m5");
    },
  },
  {
    id: "F2",
    level: "must",
    text: "ignores frames with an unknown type, and unknown members",
    async play(stage) {
      const connection = await stage.opened();
      connection.send({ type: "later", seq: 9, body: "no message" });
      connection.send({ type: "later" }, { ...message(3), later: { seq: 9 } }, { type: "later-still" });
      await stage.shows("m3");
    },
  },
  {
    id: "F3",
    level: "must",
    text: "treats a member that is null as absent",
    async play(stage) {
      stage.start();
      const connection = await stage.connection();
      await stage.resume(connection);
      connection.send(
        { type: "hello", epoch: null, oldest: 1, newest: 0, ackSeconds: null },
        { type: "resumed", recovered: true, lost: null, first: 1, through: 0 },
      );
      connection.send({ ...message(1), expired: null, first: null });
      await stage.shows("m1");
      connection.send({ type: "message", epoch: EPOCH, seq: 2, id: "id-2", body: null, expired: true });
      connection.send(message(3));
      await stage.shows("m3");
    },
  },
  {
    id: "F4",
    level: "must",
    text: "accepts a message of 128 KB in several WebSocket frames",
    async play(stage) {
      const connection = await stage.opened();
      const room = MAX_PAYLOAD_BYTES - Buffer.byteLength(JSON.stringify(message(3, { body: "" })));
      // Three bytes each, so that a WebSocket frame ends within a character.
      const body = "€".repeat(room / 3) + "x".repeat(room % 3);
      connection.sendSplit(JSON.stringify(message(3, { body })));
      await stage.shows(body);
    },
  },
  {
    id: "F5",
    level: "must",
    text: "keeps numbers up to 2^53 - 1 exact",
    async play(stage) {
      stage.start();
      const connection = await stage.connection();
      await stage.resume(connection);
      const first = LARGEST_SEQ - 1;
      connection.send(hello(first), resumed(first, first), message(first));
      await stage.shows(`m${first}`);
      connection.send(message(LARGEST_SEQ));
      await stage.shows(`m${LARGEST_SEQ}`);
      connection.close(1001);
      const next = await stage.connection("another connection");
      await stage.resume(next, cursor(LARGEST_SEQ));
      next.send(hello(LARGEST_SEQ), resumed(LARGEST_SEQ + 1, LARGEST_SEQ));
    },
  },
];
