import { randomUUID } from "node:crypto";
import { SUBPROTOCOLS } from "../../protocol";
import { consoleLog, errorFields, type Log } from "../log";
import { REASONS } from "../messages/reasons";
import type { SessionKey } from "../sessions/sessionKey";
import type { Session, SessionRow } from "../sessions/sessionItems";
import { liveConnections } from "../sessions/sessionRow";
import type { NewEntry, PostToRaw, RawPost } from "./postToRaw";
import { type RawLine, rawLinesOf } from "./rawLine";
import { rawTurn, type RawTurnDependencies, type RawWork } from "./rawTurn";
import { timer } from "../timer";

export interface RawPosterDependencies extends Omit<RawTurnDependencies, "newOwner" | "now" | "log"> {
  /** Names a turn. @default a random UUID */
  newOwner?: () => string;
  /** Waits for another invocation. @default a timer */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Epoch milliseconds. @default the clock */
  now?: () => number;
  /** @default the console */
  log?: Log;
}

/** Between two attempts at another invocation's lease: each one longer, up to this. */
const MAX_PAUSE_MS = 500;

/** How long another invocation is waited for: in a burst, messages of one session are in many invocations. */
const MAX_WAIT_MS = 10_000;

/** Posts to the raw connections of sessions; the messages that they have missed first. */
export function rawPoster(dependencies: RawPosterDependencies): PostToRaw {
  return async function postToRaw(post, signal) {
    const { row, connections, entries, presentEpoch: epoch, onPartial, readTakenBy, isLast } = post;
    const inHand = new Map<number, NewEntry>();
    for (const each of entries) {
      const { entry, takenBy = inHand.get(entry.seq)?.takenBy } = each;
      inHand.set(entry.seq, { entry, takenBy });
    }
    const through = Math.max(0, ...inHand.keys());
    const upTo = { epoch, through };
    const wanted = { key: keyOf(row), inHand, upTo, onPartial, readTakenBy, isLast };
    const { lines, reason } = await postUnderLease(row, connections, wanted, dependencies, signal);
    return new Map(
      lines.map((line) => [
        line.connection.connectionId,
        entries.map(({ entry: { seq } }) => line.outcomeFor(seq, reason ?? REASONS.notReached)),
      ]),
    );
  };
}

/** What was posted, and why not everything was. */
export interface RawRun {
  lines: readonly RawLine[];
  /** Undefined if the connections that may be open have everything. */
  reason: string | undefined;
}

/** Posts everything up to there that the session's raw clients have missed to these connections. */
export async function postMissed(
  row: SessionRow,
  connections: readonly Session[],
  upTo: RawWork["upTo"],
  dependencies: RawPosterDependencies,
  signal: AbortSignal,
): Promise<RawRun> {
  const wanted = {
    key: keyOf(row),
    inHand: new Map<number, NewEntry>(),
    upTo,
    ...NO_PARTIALS,
    isLast: false,
  };
  return await postUnderLease(row, connections, wanted, dependencies, signal);
}

/** Turn by turn, until everything is posted, or no connection accepts more. Never rejects. */
async function postUnderLease(
  row: SessionRow,
  connections: readonly Session[],
  wanted: Omit<RawWork, "lines" | "acknowledges"> & Pick<RawPost, "isLast">,
  dependencies: RawPosterDependencies,
  signal: AbortSignal,
): Promise<RawRun> {
  const { sessions, log = consoleLog } = dependencies;
  const lines = rawLinesOf(row, connections);
  const acknowledges = !liveConnections(row).some(({ subprotocol }) => subprotocol === SUBPROTOCOLS.v1);
  let after = 0;
  const run = (reason: string | undefined): RawRun => ({ lines, reason });
  if (lines.length === 0) return run(undefined);
  try {
    for (;;) {
      const maxWaitMs = wanted.isLast ? Infinity : MAX_WAIT_MS;
      const turn = await turnWithPauses({ ...wanted, lines, acknowledges }, after, maxWaitMs, dependencies, signal);
      if (turn === "busy") return run(REASONS.rawBusy);
      after = turn.end;
      const open = lines.filter((line) => !line.isOver);
      if (!turn.hasMore || open.length === 0) return run(lines.find(({ failure }) => failure !== undefined)?.failure);
      if (!turn.hasMoved || signal.aborted) return run(REASONS.notReached);
      endOthers(lines, await sessions.read(wanted.key, signal));
    }
  } catch (error) {
    log.error("messages not posted to raw clients", { ...wanted.key, ...errorFields(error) });
    return run(signal.aborted ? REASONS.timeout : REASONS.historyUnavailable);
  }
}

async function turnWithPauses(
  work: RawWork,
  after: number,
  maxWaitMs: number,
  given: RawPosterDependencies,
  signal: AbortSignal,
): ReturnType<typeof rawTurn> {
  const { pause = timer } = given;
  const dependencies = { newOwner: randomUUID, now: Date.now, log: consoleLog, ...given };
  for (let [ms, waitedMs] = [100, 0]; ; ms = Math.min(ms + 100, MAX_PAUSE_MS)) {
    const turn = await rawTurn(work, after, dependencies, signal);
    if (turn !== "busy" || waitedMs >= maxWaitMs) return turn;
    await pause(ms, signal).catch(() => undefined);
    if (signal.aborted) return "busy";
    waitedMs += ms;
  }
}

/** Another connection may have taken a place since the row was read. */
function endOthers(lines: readonly RawLine[], row: SessionRow | undefined): void {
  const live = new Set((row ? liveConnections(row) : []).map(({ connectionId }) => connectionId));
  for (const line of lines) if (!live.has(line.connection.connectionId)) line.end(REASONS.noSession);
}

function keyOf({ callerId, context }: SessionRow): SessionKey {
  return { callerId, context };
}

/** Without messages in hand, none is retried. */
const NO_PARTIALS: Pick<RawPost, "onPartial" | "readTakenBy"> = {
  onPartial: () => Promise.resolve(),
  readTakenBy: () => Promise.resolve(new Map()),
};
