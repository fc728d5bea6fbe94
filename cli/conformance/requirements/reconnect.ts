import { answer, cursor, message } from "../envelopes";
import type { Requirement } from "../requirement";
import { Unmet } from "../unmet";
import { type Connection, gatewayError } from "../scriptedRelay";
import type { Stage } from "../stage";
import { acknowledged } from "./acknowledge";
import { again, reconnected } from "./resume";

/** Full jitter with a bound that doubles from 1 s has about five attempts in this time, a constant second nine. */
const WATCH_ATTEMPTS_MS = 8_000;
const MAX_ATTEMPTS = 12;

/** Of a client that waits 0 to 1, 2, 4 s in between. */
const WATCH_RESUMES_MS = 2_000;
const MAX_RESUMES = 6;

const CONNECTION_SECONDS = 4;

export const reconnect: Requirement[] = [
  {
    id: "R8.1",
    level: "must",
    text: "reconnects after the relay closes its connection, and resumes from its cursor",
    async play(stage) {
      const connection = await reconnected(stage);
      connection.send(...answer(3, 3));
      await stage.shows("m3");
      connection.close(1000);
      const next = await stage.connection("another connection after the close code 1000");
      await stage.resume(next, cursor(3));
      next.send(...answer(4, 4));
      await stage.shows("m4");
    },
  },
  {
    id: "R8.2",
    level: "must",
    text: "reconnects after its connection ends without a close frame",
    async play(stage) {
      const connection = await stage.opened();
      connection.drop();
      const next = await stage.connection("another connection");
      await stage.resume(next, cursor(2));
      next.send(...answer(3, 3));
      await stage.shows("m3");
    },
  },
  {
    id: "R8.3",
    level: "must",
    text: "tries again after a handshake is refused with 401, 429 or 500",
    async play(stage) {
      stage.relay.refusals = [401, 429, 500];
      const connection = await stage.opened();
      connection.send(message(3));
      await stage.shows("m3");
    },
  },
  {
    id: "R8.4",
    level: "must",
    text: "pauses between attempts",
    async play(stage) {
      const { relay } = stage;
      relay.refusals = Array<number>(10_000).fill(500);
      stage.start();
      await stage.until("a second handshake", () => relay.handshakes[1]);
      await stage.quiet(WATCH_ATTEMPTS_MS, () =>
        relay.handshakes.length > MAX_ATTEMPTS
          ? `expected at most ${MAX_ATTEMPTS} attempts in ${WATCH_ATTEMPTS_MS / 1_000} s while all are refused; got more`
          : undefined,
      );
    },
  },
  {
    id: "R8.5",
    level: "should",
    text: "replaces its connection before it ends, and shows each message once meanwhile",
    async play(stage) {
      const old = await stage.opened({ connectionSeconds: CONNECTION_SECONDS });
      const next = await stage.connection("a second connection before RELAY_CONNECTION_SECONDS are over");
      if (old.isClosed) throw new Unmet("expected that the old connection stays open until the new one has resumed");
      old.send({ type: "superseded" });
      await stage.resume(next, cursor(2));
      next.send(message(3));
      next.send(...answer(3, 3));
      await stage.shows("m3");
      await stage.until("the client to close the old connection", () => old.isClosed || undefined);
      next.send(message(4));
      await stage.shows("m4");
    },
  },
  {
    id: "R9.1",
    level: "must",
    text: "closes its connection after superseded, reports that, and does not reconnect",
    async play(stage) {
      const connection = await stage.opened();
      stage.letEnd();
      connection.send({ type: "superseded" });
      await stage.until("the client to close the connection", () => connection.isClosed || undefined);
      await stage.prints("superseded");
      await stage.quiet(Math.max(stage.quietMs, 1_500), () =>
        stage.relay.handshakes.length > 1 ? "expected no other connection; the client has connected again" : undefined,
      );
    },
  },
  {
    id: "R9.2",
    level: "should",
    text: "acknowledges its cursor when it is superseded",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(3));
      await stage.shows("m3");
      stage.letEnd();
      connection.send({ type: "superseded" });
      await stage.until("the client to close the connection", () => connection.isClosed || undefined);
      if (!acknowledged(connection, 3)) throw new Unmet(`expected an ack with ${JSON.stringify(cursor(3))}; got none`);
    },
  },
  {
    id: "E1",
    level: "must",
    text: "resumes again, after pauses, while the relay is unavailable",
    play: (stage) =>
      resumesAgainAfter(stage, { type: "error", code: "unavailable", message: "scripted", action: "resume" }),
  },
  {
    id: "E2",
    level: "must",
    text: "resumes again, after pauses, if a resume is throttled",
    play: (stage) => resumesAgainAfter(stage, gatewayError("Too Many Requests")),
  },
  {
    id: "E3",
    level: "must",
    text: "resumes again, after pauses, if API Gateway answers a resume with Internal server error",
    play: (stage) => resumesAgainAfter(stage, gatewayError("Internal server error")),
  },
  {
    id: "E4",
    level: "must",
    text: "closes its connection and reconnects after no-session",
    async play(stage) {
      const connection = await stage.opened();
      connection.send({ type: "error", code: "no-session", message: "scripted", action: "ack" });
      const next = await stage.connection("another connection");
      await stage.resume(next, cursor(2));
      next.send(...answer(3, 3));
      await stage.shows("m3");
      await stage.until("the client to close the first connection", () => connection.isClosed || undefined);
    },
  },
  {
    id: "E5",
    level: "must",
    text: "does not send a frame again after bad-request, and shows the messages that follow",
    async play(stage) {
      const connection = await stage.opened();
      connection.send(message(4));
      await stage.resume(connection, cursor(2));
      connection.send({ type: "error", code: "bad-request", message: "scripted", action: "resume" });
      await stage.quiet(Math.max(stage.quietMs, 1_500), () => again(connection, 2, "after bad-request"));
      connection.send(message(3));
      await stage.shows("m3", "m4");
    },
  },
];

/** Each resume gets an error for a while, and then an answer. */
async function resumesAgainAfter(stage: Stage, error: object): Promise<void> {
  stage.start();
  const connection = await stage.connection();
  let isFailing = true;
  let answered = 0;
  const answerAll = (): string | undefined => {
    const count = connection.sent("resume").length;
    if (count > MAX_RESUMES)
      return `expected pauses between resumes that fail; got ${count} in ${WATCH_RESUMES_MS / 1_000} s`;
    for (; answered < count; answered++) if (isFailing) connection.send(error);
    return undefined;
  };
  await stage.quiet(WATCH_RESUMES_MS, answerAll);
  isFailing = false;
  await answerNext(stage, connection, answered);
  await stage.shows("m1");
}

async function answerNext(stage: Stage, connection: Connection, before: number): Promise<void> {
  await stage.until("another resume", () => connection.sent("resume").length > before || undefined);
  connection.send(...answer(1, 1));
}
