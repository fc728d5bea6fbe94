import { type Hello, type Resume, type Resumed, SUBPROTOCOLS, type Superseded } from "../../protocol";
import { DynamoDbConnectionLookups } from "../connections/connectionLookups";
import { connectionsFromEnvironment } from "../connections/connectionsClient";
import { reasonToEnd } from "../connections/postToSession";
import { type Environment, text } from "../environment";
import { historyFromEnvironment, retentionMsFromEnvironment } from "../history/dynamoDbHistory";
import { expireUnseen } from "../history/expireUnseen";
import type { Entry, History } from "../history/history";
import { type Available, availableOf, type Start, startOf, throughOf, withoutGap } from "../history/recovery";
import { consoleLog } from "../log";
import { REASONS } from "../messages/reasons";
import { METRICS, metricsFromEnvironment } from "../metrics";
import { deadLetterQueueFromEnvironment } from "../queue/queue";
import { receiptsFromEnvironment } from "../receipts/snsReceipts";
import type { Session } from "../sessions/sessionItems";
import type { SessionKey } from "../sessions/sessionKey";
import { readSession, type SessionStore } from "../sessions/sessionStore";
import { tableClient } from "../tableClient";
import { type ClientFrame, type FrameDependencies, type FrameHandler, frameHandler, posted, refuse } from "./frame";
import { parseResume } from "./parseFrame";
import { type SendDependencies, sendMessages } from "./sendMessages";

/** `now` and `log` are by default the clock and the console. */
export type ResumeDependencies = Omit<Dependencies, "now" | "log"> & Partial<Pick<Dependencies, "now" | "log">>;

interface Dependencies extends FrameDependencies, SendDependencies {
  sessions: Pick<SessionStore, "read">;
  history: Pick<History, "readTail" | "readOldest" | "readAcknowledged" | "readAfter" | "strip">;
}

/** Messages that are read before the first one is sent: fewer are read, and sent, sooner. */
const FIRST_PAGE = 100;

/**
 * Called for the route `resume`: sends hello, the result and the messages after the client's cursor, in order. A failure on
 * the way ends it, and the client asks again.
 */
export function resume(given: ResumeDependencies): FrameHandler {
  const dependencies = { now: Date.now, log: consoleLog, ...given };
  const handle = (frame: ClientFrame<Resume>) => answer(frame, dependencies);
  return frameHandler({ action: "resume", parse: parseResume, handle }, dependencies);
}

/** `resume` as the component deploys it. */
export function resumeFromEnvironment(environment: Environment): FrameHandler {
  const client = tableClient();
  const tableName = text(environment, "TABLE_NAME");
  return resume({
    sessions: { read: (key, signal) => readSession(client, tableName, key, signal) },
    lookups: new DynamoDbConnectionLookups(client, { tableName }),
    history: historyFromEnvironment(environment),
    retentionMs: retentionMsFromEnvironment(environment),
    connections: connectionsFromEnvironment(environment),
    deadLetters: deadLetterQueueFromEnvironment(environment),
    receipts: receiptsFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
  });
}

async function answer(frame: ClientFrame<Resume>, dependencies: Dependencies): Promise<void> {
  const { action, key, fields, signal } = frame;
  const { sessions, history, retentionMs, metrics, now, log } = dependencies;
  const storedAfterMs = now() - retentionMs;
  const { cursor } = action;

  const [session, tail, oldest, acknowledged, page = []] = await Promise.all([
    sessions.read(key, signal),
    history.readTail(key, signal),
    history.readOldest(key, storedAfterMs, signal),
    history.readAcknowledged(key, signal),
    cursor && history.readAfter(key, cursor.seq, FIRST_PAGE, signal),
  ]);
  if (!(await hasSession(session, frame, dependencies))) return;

  const available =
    availableOf(tail, oldest, storedAfterMs) ??
    availableOf(tail, await history.readOldest(key, storedAfterMs, signal), storedAfterMs);
  if (!available) throw new Error("the newest number is within the retention, but no oldest one was found");
  const start = startOf(action, available, acknowledged);
  const [begun, skipped] = await Promise.all([
    firstEntries(start, available, page, frame, history),
    readSkipped(key, start, history, signal),
  ]);
  const { first, lost, entries } = begun;
  // Before the client can acknowledge what comes after them.
  await expireUnseen({ key, acknowledged, entries: skipped, reason: "retention", signal }, dependencies);

  const newest = Math.max(available.newest, first - 1 + entries.length);
  const through = throughOf(entries, first, newest);
  const { epoch } = available;
  const hello: Hello = { type: "hello", ...(epoch !== undefined && { epoch }), oldest: begun.oldest, newest };
  const resumed: Resumed = { type: "resumed", recovered: lost === undefined, ...(lost && { lost }), first, through };
  const result = lost ?? "recovered";
  metrics.add(METRICS.resumed, 1, result);
  const sent = await sendMessages(
    {
      ...frame,
      acknowledged,
      available,
      before: [hello, resumed],
      entries: entries.slice(0, through - first + 1),
      through,
    },
    dependencies,
  );
  log.info("resumed", { ...fields, result, first, through, newest, sent });
}

/** Whether the session belongs to this connection; if not, tells the client that it is superseded or must reconnect. */
async function hasSession(
  session: Session | undefined,
  { connectionId, fields }: ClientFrame<Resume>,
  dependencies: Dependencies,
): Promise<boolean> {
  if (session && session.connectionId !== connectionId) {
    const notice: Superseded = { type: "superseded" };
    dependencies.log.info("superseded", fields);
    await posted(connectionId, JSON.stringify(notice), fields, dependencies);
    return false;
  }
  // A connection that has no right to the session's messages must not get the missed ones either.
  const { now } = dependencies;
  const reason = session ? reasonToEnd(session, { subprotocol: SUBPROTOCOLS.v1, now }) : REASONS.noSession;
  if (reason === undefined) return true;
  const message = "the session has ended: open another connection";
  const error = { code: "no-session", message, action: "resume" } as const;
  await refuse(connectionId, error, { ...fields, reason }, dependencies);
  return false;
}

interface Begun extends Pick<Start, "first" | "lost"> {
  entries: Entry[];
  oldest: number;
}

/** The first entries to send; the page is read again if it was read too early or for another cursor. */
async function firstEntries(
  { first, lost }: Start,
  available: Available,
  page: readonly Entry[],
  { key, signal }: ClientFrame<Resume>,
  history: Pick<History, "readAfter">,
): Promise<Begun> {
  const { oldest, newest } = available;
  const entries = lost === undefined ? withoutGap(page, available, first) : [];
  if (entries.length > 0 || first > newest) return { first, lost, oldest, entries };

  const again = await history.readAfter(key, first - 1, FIRST_PAGE, signal);
  const [next] = again;
  if (!next) throw new Error(`the history has no entry from ${first} on, though ${newest} was read a moment ago`);
  if (next.seq === first) return { first, lost, oldest, entries: withoutGap(again, available, first) };
  // The read began after the newest was stored, and so was all before it: a missing entry was deleted, by another retention.
  const remaining = withoutGap(again, available, next.seq);
  return { first: next.seq, lost: lost ?? "expired", oldest: next.seq, entries: remaining };
}

/** The stored messages that the client skips, though it will acknowledge later ones. */
async function readSkipped(
  key: SessionKey,
  { seen, first }: Start,
  history: Pick<History, "readAfter">,
  signal: AbortSignal,
): Promise<Entry[]> {
  const skipped: Entry[] = [];
  for (let after = seen; after + 1 < first;) {
    const page = await history.readAfter(key, after, Math.min(FIRST_PAGE, first - 1 - after), signal);
    skipped.push(...page.filter(({ seq }) => seq < first));
    after = page.at(-1)?.seq ?? first;
  }
  return skipped;
}
