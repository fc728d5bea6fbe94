import type { Entry, EntryKey } from "../../../handlers/history/history";
import { historyShard } from "../../../handlers/history/historyKey";
import { sessionId, type SessionKey } from "../../../handlers/sessions/sessionKey";
import type { Cursor } from "../../../protocol";
import { MemoryHistory, type MemoryLog } from "../memoryHistory";
import type { Faults } from "./faults";
import type { Ledger } from "./ledger";
import type { Simulation } from "./simulation";

/** The history in memory; whatever is stored or acknowledged is judged at once. */
export class ModelHistory extends MemoryHistory {
  private readonly shards = new Map<string, string>();

  constructor(
    retentionMs: number,
    private readonly ledger: Ledger,
    simulation: Simulation,
    faults: Faults,
  ) {
    super(retentionMs);
    // Of a page that is no snapshot, a part was read a moment later.
    this.beforeCall = async (name) => {
      if (name === "readAfter: meanwhile") await simulation.pause(faults.stopped ? 0 : simulation.latency());
    };
    this.seesMeanwhile = () => faults.happens("page is no snapshot");
  }

  override async put(key: SessionKey, entry: Entry): Promise<"stored" | "taken"> {
    const result = await super.put(key, entry);
    if (result === "stored") this.ledger.stored(key, entry, entry.messageId, entry.body);
    return result;
  }

  override async acknowledge(key: SessionKey, cursor: Cursor): Promise<"acknowledged" | "stale"> {
    const result = await super.acknowledge(key, cursor);
    if (result === "acknowledged") this.ledger.acknowledged(key, cursor);
    return result;
  }

  override async *findDue(shard: string, nowMs: number): AsyncGenerator<EntryKey[]> {
    yield await Promise.resolve(
      this.sessions()
        .filter((log) => this.shardOf(log) === shard)
        .flatMap(({ key, due }) => [...due].map(([seq, dueAt]) => ({ key, seq, dueAt })))
        .filter(({ dueAt }) => dueAt <= nowMs)
        .sort((a, b) => a.dueAt - b.dueAt)
        .map(({ key, seq }) => ({ key, seq })),
    );
  }

  private shardOf({ key }: MemoryLog): string {
    const id = sessionId(key);
    const shard = this.shards.get(id) ?? historyShard(key);
    this.shards.set(id, shard);
    return shard;
  }
}
