import type { DueSegment, Segment } from "../../../handlers/history/history";
import { historyShard } from "../../../handlers/history/historyKey";
import { sessionId, type SessionKey } from "../../../handlers/sessions/sessionKey";
import type { Cursor } from "../../../protocol";
import { MemoryHistory } from "../memoryHistory";
import type { Faults } from "./faults";
import type { Ledger } from "./ledger";
import type { Simulation } from "./simulation";

const DAY_MS = 86_400_000;

/** The history in memory; whatever is stored or acknowledged is judged at once. */
export class ModelHistory extends MemoryHistory {
  private readonly shards = new Map<string, string>();

  constructor(
    private readonly ledger: Ledger,
    private readonly simulation: Simulation,
    private readonly faults: Faults,
  ) {
    // From so few ids that earlier segments have to be read, to as many as an item has room for.
    super(simulation.pick([0, 1, 3, 20]));
    // Of a page that is no snapshot, a part was read a moment later.
    this.beforeCall = async (name) => {
      if (name === "readOn: meanwhile") await simulation.pause(faults.stopped ? 0 : simulation.latency());
    };
    this.seesMeanwhile = () => faults.happens("page is no snapshot");
  }

  override async put(key: SessionKey, segment: Segment): Promise<"stored" | "taken"> {
    const result = await super.put(key, segment);
    if (result === "stored") {
      const { first, epoch, untilMs } = segment;
      for (const [position, { id, body }] of segment.messages.entries()) {
        this.ledger.stored(key, { epoch, seq: first + position }, id, body, untilMs);
      }
    }
    return result;
  }

  override async acknowledge(key: SessionKey, cursor: Cursor): Promise<"acknowledged" | "stale"> {
    const result = await super.acknowledge(key, cursor);
    if (result === "acknowledged") this.ledger.acknowledged(key, cursor);
    return result;
  }

  override async *findDue(shard: string, nowMs: number): AsyncGenerator<DueSegment[]> {
    yield await Promise.resolve(
      this.sessions()
        .filter(({ key }) => this.shardOf(key) === shard)
        .flatMap(({ key, segments }) =>
          [...segments.values()].flatMap(({ first, dueAtMs, isMarked }) =>
            isMarked && dueAtMs !== undefined && dueAtMs <= nowMs ? [{ key, first, dueAtMs }] : [],
          ),
        )
        .sort((a, b) => a.dueAtMs - b.dueAtMs),
    );
  }

  /**
   * What DynamoDB does by itself: deletes some of the items whose TTL has passed, in any order.
   *
   * @param sweeperDownUntilMs When the sweeper was last back after days in which it was down.
   */
  deleteExpired(sweeperDownUntilMs: number): void {
    for (const { key, segments } of this.sessions()) {
      for (const { first, ttlMs, messages } of [...segments.values()]) {
        if (ttlMs === undefined || ttlMs > this.simulation.now || this.simulation.chance(0.5)) continue;
        this.faults.count("TTL deletes a segment");
        segments.delete(first);
        for (const { id } of messages) this.ledger.deleted(key, id, ttlMs <= sweeperDownUntilMs + DAY_MS);
      }
    }
  }

  private shardOf(key: SessionKey): string {
    const id = sessionId(key);
    const shard = this.shards.get(id) ?? historyShard(key);
    this.shards.set(id, shard);
    return shard;
  }
}
