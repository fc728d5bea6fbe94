import { parseStreamChunk, STREAM_CHUNK_TYPE } from "../../../protocol";
import type { PrintedLine } from "../clientProcess";
import { answer, cursor, hello, message, resumed } from "../envelopes";
import type { Requirement } from "../requirement";
import { Unmet } from "../unmet";
import { arrivedIn, type Stage } from "../stage";

const ID = "answer-1";

export const streams: Requirement[] = [
  {
    id: "S1",
    level: "must",
    text: "counts an envelope with first as all numbers from first to seq",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(5, { first: 3, body: chunk(0, "Hello, ", "closed") }));
      await assembles(stage, "Hello, ");
      connection.send(message(6));
      await stage.shows("m6");
      connection.close(1001);
      const next = await stage.connection("another connection");
      await stage.resume(next, cursor(6));
      next.send(...answer(7, 6));
    },
  },
  {
    id: "S2",
    level: "must",
    text: "accepts an envelope of which it has some numbers, and shows its text once",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(3, { body: chunk(0, "Hello") }));
      await assembles(stage, "Hello");
      connection.send(message(5, { first: 3, body: chunk(0, "Hello, 🌍", "closed") }));
      await assembles(stage, "Hello, 🌍");
      connection.send(message(6));
      await stage.shows("m6");
    },
  },
  {
    id: "S3",
    level: "must",
    text: "shows the pieces of a stream in the order of their offsets, if it assembles streams",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(3, { body: chunk(7, "world", "closed") }));
      connection.send(message(4, { body: chunk(0, "Hello, ") }));
      await assembles(stage, "Hello, world");
    },
  },
  {
    id: "S4",
    level: "must",
    text: "keeps its cursor before an open stream, if it assembles streams",
    async play(stage) {
      const connection = await stage.opened();
      const sent = [message(3, { body: chunk(0, "Hello") }), message(4)];
      sent.forEach((each) => connection.send(each));
      await stage.shows("m4");
      await assembles(stage, "Hello");
      connection.close(1001);
      const next = await stage.connection("another connection");
      const resume = await stage.resume(next);
      const expected = cursor(stage.client?.printed.some(({ type }) => type === "stream") ? 2 : 4);
      if (resume.cursor?.seq !== expected.seq) {
        throw new Unmet(`expected a resume with the cursor ${JSON.stringify(expected)}; got ${JSON.stringify(resume)}`);
      }
      const arrived = arrivedIn(resume);
      next.send(hello(4), resumed(arrived + 1, 4), ...sent.filter(({ seq }) => seq > arrived));
      next.send(message(5));
      await stage.shows("m5");
    },
  },
];

function chunk(offset: number, text: string, end?: "closed"): string {
  return JSON.stringify({ type: STREAM_CHUNK_TYPE, id: ID, offset, text, end });
}

/** The pieces that the client has printed, as streams or as messages, make up this text. */
function assembles(stage: Stage, text: string): Promise<true> {
  return stage.until(
    `the text ${JSON.stringify(text)} of a stream`,
    () => assembled(stage.client?.printed ?? []) === text || undefined,
  );
}

function assembled(lines: readonly PrintedLine[]): string {
  let text = "";
  for (const { type, id, offset = 0, text: piece = "" } of lines) {
    if (type !== "stream" || id !== ID) continue;
    if (offset !== text.length)
      throw new Unmet(`expected the stream's piece at ${text.length}; got the one at ${offset}`);
    text += piece;
  }
  // A client that does not assemble streams hands over the chunks as they come.
  return lines
    .flatMap(({ type, body = "" }) => (type === "message" && parseStreamChunk(body)) || [])
    .sort((a, b) => a.offset - b.offset)
    .reduce(
      (all, chunk) => (chunk.offset > all.length ? all : all + chunk.text.slice(all.length - chunk.offset)),
      text,
    );
}
