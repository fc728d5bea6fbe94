import type { FrameHandler } from "../../../handlers/frames/frame";
import type { Segment } from "../../../handlers/history/history";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { MemoryConnections, MemoryQueue, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { envelopesIn } from "../../support/schemas";
import { MemoryTable } from "../../support/memoryTable";
import { MemoryHistory } from "../../support/memoryHistory";
import { MemoryReceipts } from "../receipts/memoryReceipts";
import { key, now, retentionMs } from "../history/segments";

/** The session of the connection whose frames arrive. */
export const row: Session = {
  ...key,
  connectionId: "c1",
  connectedAt: now - 60_000,
  expirationDate: now / 1000 + 1,
  subprotocol: "websocket-relay.v1",
};

/** What the handlers of frames work with: `row` and its lookup are in the table, and the history is empty. */
export function frameParts({
  hasQueue = true,
  wantsReceipts = true,
  ackSeconds = undefined as number | undefined,
} = {}) {
  const table = new MemoryTable();
  const history = new MemoryHistory();
  const connections = new MemoryConnections();
  const [queue, receipts] = [new MemoryQueue(), new MemoryReceipts(wantsReceipts)];
  const [log, metrics, clock] = [new RecordedLog(), new RecordedMetrics(), { now }];
  const { callerId, context, connectionId, connectedAt, expirationDate } = row;
  table.put(row);
  table.putLookup({ connectionId, connectedAt, expirationDate, session: { callerId, context } });
  return {
    table,
    history,
    connections,
    queue,
    receipts,
    log,
    metrics,
    clock,
    dependencies: {
      sessions: table,
      lookups: table.lookups,
      history,
      connections,
      receipts,
      log,
      metrics,
      retentionMs,
      ackSeconds,
      deadLetters: hasQueue ? queue : undefined,
      now: () => clock.now,
    },
    /** The frames that were posted, each as the envelopes in it. */
    posted: () => connections.posts.map(({ body }) => envelopesIn(body)),
    /** The history's calls since its messages were stored. */
    events: () => log.lines.map(({ event }) => event),
  };
}

/** Calls the handler with a frame of the connection `c1`. */
export function frameOf(frame: object | string | undefined, remainingMs = 30_000) {
  const body = typeof frame === "object" ? JSON.stringify(frame) : frame;
  const event = { requestContext: { connectionId: "c1", requestId: "r1" }, body };
  return [event, { getRemainingTimeInMillis: () => remainingMs }] as const satisfies Parameters<FrameHandler>;
}

/** How many calls lay one after the other before each call, itself included. Nothing else is counted as time. */
export function callDepths({
  table,
  history,
  connections = new MemoryConnections(),
}: Pick<ReturnType<typeof frameParts>, "table" | "history"> & { connections?: MemoryConnections }) {
  const depths: [string, number][] = [];
  let done = 0;
  const called = async (name: string) => {
    const depth = done + 1;
    depths.push([name, depth]);
    // All that are made side by side have begun by then.
    await new Promise(setImmediate);
    done = Math.max(done, depth);
  };
  table.beforeCall = called;
  history.beforeCall = called;
  connections.onPost = async () => {
    await called("post");
    return { result: "delivered" };
  };
  return depths;
}

/** When it was stored, what has just expired. */
export const expired = now - retentionMs;

/** Stores segments as `deliver` would have. */
export async function store(history: MemoryHistory, ...segments: Segment[]): Promise<void> {
  for (const segment of segments) await history.put(key, segment);
  history.calls.length = 0;
}
