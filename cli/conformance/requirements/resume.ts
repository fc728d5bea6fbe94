import { answer, cursor, emptyAnswer, hello, message, OTHER_EPOCH, resumed } from "../envelopes";
import type { Requirement } from "../requirement";
import { Unmet } from "../unmet";
import type { Connection } from "../scriptedRelay";
import type { Stage } from "../stage";

export const resume: Requirement[] = [
  {
    id: "R1.1",
    level: "must",
    text: "sends a resume as the first frame, without a cursor as the application wants it",
    async play(stage) {
      stage.start({ from: "oldest" });
      const connection = await stage.connection();
      const { frame } = await stage.until("a frame", () => connection.received[0]);
      if (frame.action === "resume" && !frame.cursor && frame.from === "oldest") return;
      throw new Unmet(`expected {"action":"resume","from":"oldest"} first; got ${JSON.stringify(frame)}`);
    },
  },
  {
    id: "R1.2",
    level: "must",
    text: "sends resume again if it gets no answer",
    timeLimitSeconds: 40,
    async play(stage) {
      stage.start();
      await stage.connection();
      const resumes = () => stage.relay.connections.flatMap((connection) => connection.sent("resume")).length;
      await stage.until("a second resume", () => resumes() > 1 || undefined);
    },
  },
  {
    id: "R1.3",
    level: "should",
    text: "has at most one unanswered resume per connection",
    async play(stage) {
      stage.start();
      const connection = await stage.connection();
      await stage.resume(connection);
      connection.send(message(4));
      await stage.quiet(stage.quietMs, () => again(connection, 1, "before the answer to the first one"));
      connection.send(...answer(1, 4));
      await stage.shows("m1", "m2", "m3", "m4");
    },
  },
  {
    id: "R2.1",
    level: "must",
    text: "reports missing messages, and shows all that is available, after lost: expired",
    async play(stage) {
      const connection = await reconnected(stage);
      connection.send(
        hello(91, { oldest: 90 }),
        resumed(90, 91, { recovered: false, lost: "expired" }),
        message(90),
        message(91),
      );
      await stage.shows("m90", "m91");
      await printsGap(stage, 90, "expired");
    },
  },
  {
    id: "R2.2",
    level: "must",
    text: "continues with the new epoch after lost: epoch",
    async play(stage) {
      const connection = await reconnected(stage);
      const other = { epoch: OTHER_EPOCH };
      connection.send(
        hello(1, other),
        resumed(1, 1, { recovered: false, lost: "epoch" }),
        message(1, { ...other, body: "n1" }),
      );
      await stage.shows("n1");
      await printsGap(stage, 1, "epoch");
      connection.send(message(2, { ...other, body: "n2" }));
      await stage.shows("n2");
      connection.close(1001);
      const next = await stage.connection("another connection");
      await stage.resume(next, cursor(2, OTHER_EPOCH));
      next.send(hello(2, other), resumed(3, 2));
    },
  },
  {
    id: "R2.3",
    level: "must",
    text: "shows numbers that are used again after lost: ahead",
    async play(stage) {
      const connection = await reconnected(stage);
      connection.send(hello(1), resumed(1, 1, { recovered: false, lost: "ahead" }), message(1, { body: "again 1" }));
      await stage.shows("again 1");
      await printsGap(stage, 1, "ahead");
      connection.send(message(2, { body: "again 2" }));
      await stage.shows("again 2");
    },
  },
  {
    id: "R2.4",
    level: "must",
    text: "keeps a cursor that has moved since it sent its resume",
    async play(stage) {
      const connection = await reconnected(stage);
      connection.send(message(3));
      connection.send(message(4));
      await stage.shows("m3", "m4");
      connection.send(...answer(3, 4));
      connection.send(message(5));
      await stage.shows("m5");
    },
  },
  {
    id: "R2.5",
    level: "must",
    text: "requests number 1 if number 2 arrives first in a session that has never had a message",
    async play(stage) {
      const connection = await openedEmpty(stage);
      connection.send(message(2));
      await stage.resume(connection, cursor(0));
      connection.send(...answer(1, 2));
      await stage.shows("m1", "m2");
    },
  },
  {
    id: "R2.6",
    level: "must",
    text: "resumes an empty session from the oldest message after its connection is lost",
    async play(stage) {
      const connection = await openedEmpty(stage);
      connection.close(1001);
      const next = await stage.connection("another connection");
      await resumesFromOldest(stage, next);
      next.send(...answer(1, 2));
      await stage.shows("m1", "m2");
    },
  },
  {
    id: "R2.7",
    level: "must",
    text: "reports missing messages if a session that was empty begins after number 1",
    async play(stage) {
      const connection = await openedEmpty(stage);
      connection.close(1001);
      const next = await stage.connection("another connection");
      await resumesFromOldest(stage, next);
      next.send(hello(4, { oldest: 3 }), resumed(3, 4), message(3), message(4));
      await stage.shows("m3", "m4");
      await printsGap(stage, 3);
    },
  },
];

/** Why a resume more than `expected` is wrong. */
export function again(connection: Connection, expected: number, when: string): string | undefined {
  const resumes = connection.sent("resume");
  if (resumes.length <= expected) return undefined;
  return `expected no resume ${when}; got ${JSON.stringify(resumes[expected])}`;
}

/** The client has handled 1 and 2, has lost its connection, and waits for the answer to a resume. */
export async function reconnected(stage: Stage): Promise<Connection> {
  const first = await stage.opened();
  first.close(1001);
  const connection = await stage.connection("another connection");
  await stage.resume(connection, cursor(2));
  return connection;
}

async function openedEmpty(stage: Stage): Promise<Connection> {
  stage.start();
  const connection = await stage.connection();
  await stage.resume(connection);
  connection.send(...emptyAnswer);
  return connection;
}

async function resumesFromOldest(stage: Stage, connection: Connection): Promise<void> {
  const frame = await stage.resume(connection);
  if (!frame.cursor && frame.from === "oldest") return;
  throw new Unmet(`expected {"action":"resume","from":"oldest"}; got ${JSON.stringify(frame)}`);
}

async function printsGap(stage: Stage, first: number, lost?: string): Promise<void> {
  const gap = await stage.prints("gap");
  if (gap.first === first && (lost === undefined || gap.lost === lost)) return;
  throw new Unmet(`expected ${JSON.stringify({ type: "gap", first, lost })}; got ${JSON.stringify(gap)}`);
}
