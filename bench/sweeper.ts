import { INDEX_SHARDS } from "../handlers/connections/connectionItems";
import type { DueSegment, Segment } from "../handlers/history/history";
import { REPORT_GRACE_MS, ttlSlackMs } from "../handlers/history/retention";
import type { SessionKey } from "../handlers/sessions/sessionKey";
import { historySweeper, type HistorySweeperDependencies } from "../handlers/sweepers/historySweeper";

/** What one invocation of the history sweeper does, with a table of fixed latency. */
export interface SweeperMeasurement {
  sessions: number;
  tableMs: number;
  /** Of the table, one after the other and in all. Two reads at the beginning are parallel. */
  callsOneAfterTheOther: number;
  calls: number;
  visitsPerSecond: number;
  cpuMsPerVisit: number;
  /** In the 48 of 60 seconds in which an invocation visits sessions. */
  visitsPerMinuteAndShard: number;
  visitsPerMinute: number;
}

/** What is found in each session. */
const KINDS = {
  /** Every message is acknowledged, and newer messages follow: the mark moves. */
  active: { last: 2, acknowledged: 2 },
  /** Every message is acknowledged, and none follows: the last segment is sealed. */
  idle: { last: 1, acknowledged: 1 },
  /** None is acknowledged, and none follows: ten are reported, and the segment is sealed. */
  expired: { last: 1, acknowledged: 0 },
};

/** A sweeper's timeout of 50 seconds, without the time that it keeps for its answer. */
const VISITING_SECONDS = 48;

const MESSAGES = 10;
const retentionMs = 3_600_000;

/** Visits so many sessions of each kind. */
export async function measureSweeper(
  sessions: number,
  tableMs: number,
): Promise<Record<keyof typeof KINDS, SweeperMeasurement>> {
  return {
    active: await measure("active", sessions, tableMs),
    idle: await measure("idle", sessions, tableMs),
    expired: await measure("expired", sessions, tableMs),
  };
}

async function measure(kind: keyof typeof KINDS, sessions: number, tableMs: number): Promise<SweeperMeasurement> {
  const { dependencies, counted } = tableOf(kind, sessions, tableMs);
  const sweep = historySweeper(dependencies);
  const [startedAt, cpuAt] = [performance.now(), process.cpuUsage()];
  const { visited } = await sweep({ shard: 0 }, { getRemainingTimeInMillis: () => 600_000 });
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuAt);
  if (visited !== sessions) throw new Error(`${visited} of ${sessions} sessions were visited`);
  const visitsPerSecond = visited / seconds;
  const visitsPerMinuteAndShard = Math.round(visitsPerSecond * VISITING_SECONDS);
  return {
    sessions,
    tableMs,
    callsOneAfterTheOther: counted.calls / sessions - 1,
    calls: counted.calls / sessions,
    visitsPerSecond: Math.round(visitsPerSecond),
    cpuMsPerVisit: Math.round((user + system) / visited / 10) / 100,
    visitsPerMinuteAndShard,
    visitsPerMinute: visitsPerMinuteAndShard * INDEX_SHARDS.length,
  };
}

/** Each call takes as long; reports take as long as one call. */
function tableOf(kind: keyof typeof KINDS, sessions: number, tableMs: number) {
  const counted = { calls: 0 };
  const call = async <T>(answer: T): Promise<T> => {
    counted.calls += 1;
    await new Promise((resolve) => setTimeout(resolve, tableMs));
    return answer;
  };
  const nowMs = Date.now();
  const storedAtMs = nowMs - retentionMs - REPORT_GRACE_MS;
  const segments = [segmentOf(1, storedAtMs, storedAtMs), segmentOf(MESSAGES + 1, nowMs, storedAtMs)].slice(
    0,
    KINDS[kind].last,
  );
  const seq = KINDS[kind].acknowledged * MESSAGES;
  const sealed = new Set<string>();
  const page = Array.from({ length: sessions }, (_, i): DueSegment => ({
    key: { callerId: `user#${i}`, context: "chat#7" },
    first: 1,
    dueAtMs: nowMs,
  }));
  const history: HistorySweeperDependencies["history"] = {
    findDue: async function* () {
      yield await Promise.resolve(page);
    },
    readBack: ({ callerId }: SessionKey, throughFirst, limit) =>
      call(
        segments
          .filter(({ first }) => first <= throughFirst)
          .reverse()
          .slice(0, limit)
          .map((segment) => (sealed.has(callerId) ? { ...segment, ttlMs: undefined } : segment)),
      ),
    readOn: () => call([]),
    readCursor: () => call({ ...(seq > 0 && { acknowledged: { epoch: "e", seq } }), oldestSeq: 1 }),
    seal: ({ callerId }) => {
      sealed.add(callerId);
      return call("sealed");
    },
    moveWaited: () => call(undefined),
    renew: () => call("renewed"),
    addReported: () => call(undefined),
    settle: () => call(undefined),
    mark: () => call(undefined),
    unmark: () => call(undefined),
    delete: () => call(undefined),
  };
  const ignore = () => undefined;
  const dependencies: HistorySweeperDependencies = {
    history,
    retentionMs,
    deadLetters: undefined,
    receipts: { wanted: true, publish: async () => await new Promise((resolve) => setTimeout(resolve, tableMs)) },
    metrics: { add: ignore, flush: ignore },
    log: { info: ignore, warn: ignore, error: ignore },
    now: () => nowMs,
  };
  return { dependencies, counted };
}

function segmentOf(first: number, storedAtMs: number, firstStoredAtMs: number): Segment {
  const untilMs = storedAtMs + retentionMs;
  return {
    first,
    count: MESSAGES,
    epoch: "e",
    generation: 0,
    storedAtMs,
    untilMs,
    messages: Array.from({ length: MESSAGES }, (_, i) => ({ id: `m${first + i}`, body: "x".repeat(1_000) })),
    reported: [],
    recent: { coveredFromMs: 0, groups: [] },
    // The second segment has carried on the first one's.
    dueAtMs: firstStoredAtMs + retentionMs + REPORT_GRACE_MS,
    isMarked: storedAtMs === firstStoredAtMs,
    ttlMs: untilMs + ttlSlackMs(retentionMs),
  };
}

if (require.main === module) {
  measureSweeper(5_000, 5).then(
    (measured) => process.stdout.write(`${JSON.stringify(measured, undefined, 2)}\n`),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
