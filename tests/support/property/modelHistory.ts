import type { DueSegment, History, Segment } from "../../../handlers/history/history";
import { historyShard } from "../../../handlers/history/historyKey";
import { sessionId, type SessionKey } from "../../../handlers/sessions/sessionKey";
import type { Cursor } from "../../../protocol";
import { MemoryHistory } from "../memoryHistory";
import type { Faults } from "./faults";
import type { Ledger } from "./ledger";
import type { RawRules } from "./rawRules";
import type { Simulation } from "./simulation";

const DAY_MS = 86_400_000;

/** The history in memory. The ledger checks everything that is stored or acknowledged. */
export class ModelHistory extends MemoryHistory {
  private readonly shards = new Map<string, string>();

  constructor(
    private readonly ledger: Ledger,
    private readonly simulation: Simulation,
    private readonly faults: Faults,
    private readonly rules: () => RawRules,
  ) {
    // The number of ids in an item: from so few that earlier segments have to be read, to as many as have room.
    super(simulation.pick([0, 1, 3, 20]));
    // If a page is not a snapshot, a part of it is read a moment later.
    this.beforeCall = async (name) => {
      if (name === "readOn: meanwhile") await simulation.pause(faults.stopped ? 0 : simulation.latency());
    };
    this.seesMeanwhile = () => faults.happens("page is not a snapshot");
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
    if (result === "acknowledged") this.ledger.acknowledged(key, cursor, "protocol");
    return result;
  }

  override async releaseRaw(
    key: SessionKey,
    owner: string,
    to: Parameters<History["releaseRaw"]>[2],
  ): Promise<"released" | "changed"> {
    const before = this.log(key).cursor;
    const result = await super.releaseRaw(key, owner, to);
    if (result === "released" && to.accepted) {
      this.rules().released(key, before, { ...to, accepted: to.accepted });
      if (to.acknowledges) this.ledger.acknowledged(key, to.accepted, "raw");
    }
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
   * Deletes some of the items whose TTL has passed, in any order, as DynamoDB does.
   *
   * @param sweeperDownUntilMs When the sweeper last came back after being down for days.
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
