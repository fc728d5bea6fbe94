import { read, type ReadDependencies } from "../../../handlers/read/read";
import type { MessageEnvelope } from "../../../protocol";
import { RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { httpEvent, invocation } from "../../support/events";
import { MemoryHistory } from "../../support/memoryHistory";
import { MemoryTable } from "../../support/memoryTable";
import { now, retentionMs } from "../history/segments";

/** The function over parts in memory, for the user 42 unless `given` has another authenticator. */
export function setUp(given: Partial<ReadDependencies> = {}) {
  const [table, history, log, metrics] = [
    new MemoryTable(),
    new MemoryHistory(),
    new RecordedLog(),
    new RecordedMetrics(),
  ];
  const clock = { now };
  const handle = read({
    authenticator: { authenticate: () => Promise.resolve({ user: "42" }) },
    userConnections: table,
    history,
    allowedOrigins: null,
    retentionMs,
    metrics,
    log,
    now: () => clock.now,
    ...given,
  });
  const ask = async (asked: Asked = {}, remainingMs?: number) => {
    const { offset, query, ...event } = asked;
    const added = offset === undefined ? "" : `&offset=${offset}`;
    return await handle(
      httpEvent({ ...event, query: query ?? `context=chat&contextId=7${added}` }),
      invocation(remainingMs),
    );
  };
  /** What the answer with status 200 has. */
  const page = async (asked?: Asked) => {
    const { statusCode, headers, body } = await ask(asked);
    if (statusCode !== 200) throw new Error(`answered ${statusCode}: ${body}`);
    const items = JSON.parse(body) as MessageEnvelope[];
    return {
      headers,
      items,
      seqs: items.map(({ seq }) => seq),
      next: headers["Stream-Next-Offset"] ?? "",
      isUpToDate: headers["Stream-Up-To-Date"] === "true",
    };
  };
  return { table, history, log, metrics, clock, ask, page };
}

export type Asked = Parameters<typeof httpEvent>[0] & { offset?: string };

/** An offset in the epoch `e1`. */
export const offsetAt = (seq: number, epoch = "e1") => `${String(seq).padStart(16, "0")}_${epoch}`;
