import { historyShard } from "../../handlers/history/historyKey";
import type {
  DueSegment,
  Entry,
  History,
  KeyClaim,
  RawLease,
  Segment,
  SessionCursor,
} from "../../handlers/history/history";
import { withoutOldest } from "../../handlers/history/recentIds";
import { charactersOf, entriesOf } from "../../handlers/history/segment";
import { sessionId, type SessionKey } from "../../handlers/sessions/sessionKey";
import type { Cursor } from "../../protocol";

/** As the service: what one answer holds. */
const PAGE_BYTES = 1024 * 1024;

/** One session's part of the table. */
export interface MemoryLog {
  readonly key: SessionKey;
  readonly segments: Map<number, Segment>;
  readonly claims: Map<string, KeyClaim>;
  cursor: SessionCursor;
  lease?: RawLease;
}

/**
 * The history table in memory. What `beforeCall` and `afterCall` throw is what the caller sees: before, nothing has happened;
 * after, it has, and the answer is lost.
 */
export class MemoryHistory implements History {
  readonly calls: string[] = [];
  /** Runs before each call: what happens in the meantime. */
  beforeCall: (name: string, key?: SessionKey) => Promise<void> = () => Promise.resolve();
  /** Runs after each call, before its caller is told. */
  afterCall: (name: string, key?: SessionKey) => Promise<void> = () => Promise.resolve();
  /**
   * Where it is set, `readOn` is no snapshot: `beforeCall("readOn: meanwhile")` runs in its middle, and this answers for each
   * segment that was written or deleted meanwhile whether the page shows it as it has become.
   */
  seesMeanwhile: (() => boolean) | undefined;
  private readonly logs = new Map<string, MemoryLog>();

  constructor(
    /** How many groups of ids a segment has room for. */
    private readonly maxRecentGroups = 20,
  ) {}

  /** A session's part of the table. */
  log(key: SessionKey): MemoryLog {
    const id = sessionId(key);
    const { callerId, context } = key;
    const log = this.logs.get(id) ?? {
      key: { callerId, context },
      cursor: { oldestSeq: 1 },
      segments: new Map<number, Segment>(),
      claims: new Map<string, KeyClaim>(),
    };
    this.logs.set(id, log);
    return log;
  }

  /** Every session that something was asked of. */
  sessions(): MemoryLog[] {
    return [...this.logs.values()];
  }

  /** The session's segments in order. */
  segments(key: SessionKey): Segment[] {
    return sorted(this.log(key).segments);
  }

  /** The session's entries in order. */
  entries(key: SessionKey): Entry[] {
    return this.segments(key).flatMap(entriesOf);
  }

  readBack(key: SessionKey, throughFirst: number, limit: number): Promise<Segment[]> {
    return this.call("readBack", key, ({ segments }) =>
      pageOf(
        sorted(segments)
          .filter(({ first }) => first <= throughFirst)
          .reverse(),
        limit,
      ),
    );
  }

  async readOn(
    key: SessionKey,
    fromFirst: number,
    limit: number,
    _signal?: AbortSignal,
    maxCharacters = Infinity,
  ): Promise<Segment[]> {
    const read = () => new Map(this.log(key).segments);
    const page = (segments: ReadonlyMap<number, Segment>) => {
      const read = pageOf(
        sorted(segments).filter(({ first }) => first >= fromFirst),
        limit,
      );
      let characters = 0;
      return read.filter((segment) => {
        const fits = characters < maxCharacters;
        characters += charactersOf(segment);
        return fits;
      });
    };
    const seesMeanwhile = this.seesMeanwhile;
    if (!seesMeanwhile) return await this.call("readOn", key, () => page(read()));
    const before = await this.call("readOn", key, read);
    return await this.call("readOn: meanwhile", key, () => {
      const after = read();
      const seen = new Map<number, Segment>();
      for (const first of new Set([...before.keys(), ...after.keys()])) {
        const segment = (before.get(first) === after.get(first) || !seesMeanwhile() ? before : after).get(first);
        if (segment) seen.set(first, segment);
      }
      return page(seen);
    });
  }

  put(key: SessionKey, segment: Segment): Promise<"stored" | "taken"> {
    return this.call("put", key, ({ segments }) => {
      if (segments.has(segment.first)) return "taken";
      let { recent } = segment;
      while (recent.groups.length > this.maxRecentGroups) recent = withoutOldest(recent);
      segments.set(segment.first, { ...segment, recent });
      return "stored";
    });
  }

  renew(
    key: SessionKey,
    seen: Segment,
    renewal: { ttlMs: number; nextEpoch?: string; dueAtMs?: number },
  ): Promise<"renewed" | "changed"> {
    return this.call("renew", key, ({ segments }) => {
      const segment = segments.get(seen.first);
      if (!segment || segment.ttlMs !== seen.ttlMs) return "changed";
      segments.set(seen.first, { ...segment, ...renewal, ...(renewal.dueAtMs !== undefined && { isMarked: true }) });
      return "renewed";
    });
  }

  seal(key: SessionKey, seen: Segment): Promise<"sealed" | "changed"> {
    return this.call("seal", key, ({ segments }) => {
      const segment = segments.get(seen.first);
      if (!segment || !isMarkedAs(segment, seen) || segment.ttlMs !== seen.ttlMs) return "changed";
      segments.set(seen.first, {
        ...segment,
        messages: [],
        reported: [],
        recent: { coveredFromMs: segment.storedAtMs + 1, groups: [] },
        ttlMs: undefined,
      });
      return "sealed";
    });
  }

  addReported(key: SessionKey, first: number, positions: readonly number[]): Promise<void> {
    return this.change("addReported", key, first, (segment) => ({
      ...segment,
      reported: [...new Set([...segment.reported, ...positions])].sort((a, b) => a - b),
    }));
  }

  mark(key: SessionKey, seen: Segment, dueAtMs: number): Promise<void> {
    return this.change("mark", key, seen.first, (segment) =>
      isMarkedAs(segment, seen) ? { ...segment, dueAtMs, isMarked: true } : segment,
    );
  }

  unmark(key: SessionKey, seen: Segment): Promise<void> {
    return this.change("unmark", key, seen.first, (segment) =>
      isMarkedAs(segment, seen) && segment.ttlMs === seen.ttlMs ? { ...segment, isMarked: false } : segment,
    );
  }

  delete(key: SessionKey, first: number): Promise<void> {
    return this.call("delete", key, ({ segments }) => void segments.delete(first));
  }

  async *findDue(shard: string, nowMs: number): AsyncGenerator<DueSegment[]> {
    yield await this.call(`findDue ${shard}`, undefined, () =>
      this.sessions()
        .filter(({ key }) => historyShard(key) === shard)
        .flatMap(({ key, segments }) =>
          [...segments.values()].flatMap(({ first, dueAtMs, isMarked }) =>
            isMarked && dueAtMs !== undefined && dueAtMs <= nowMs ? [{ key, first, dueAtMs }] : [],
          ),
        )
        .sort((a, b) => a.dueAtMs - b.dueAtMs),
    );
  }

  readCursor(key: SessionKey): Promise<SessionCursor> {
    return this.call("readCursor", key, ({ cursor }) => ({ ...cursor }));
  }

  acknowledge(key: SessionKey, cursor: Cursor): Promise<"acknowledged" | "stale"> {
    return this.call("acknowledge", key, (log) => {
      if (!isAhead(cursor, log.cursor.acknowledged)) return "stale";
      log.cursor = { ...log.cursor, acknowledged: { ...cursor } };
      return "acknowledged";
    });
  }

  settle(key: SessionKey, { settled, oldestSeq }: { settled?: Cursor; oldestSeq?: number }): Promise<void> {
    return this.call("settle", key, (log) => {
      if (settled && !isAhead(settled, log.cursor.settled)) return;
      const isOldestMoved = oldestSeq !== undefined && (settled !== undefined || oldestSeq > log.cursor.oldestSeq);
      log.cursor = { ...log.cursor, ...(settled && { settled: { ...settled } }), ...(isOldestMoved && { oldestSeq }) };
    });
  }

  leaseRaw(key: SessionKey, lease: RawLease, nowMs: number): Promise<SessionCursor | "busy"> {
    return this.call("leaseRaw", key, (log) => {
      if (log.lease && log.lease.untilMs > nowMs && log.lease.owner !== lease.owner) return "busy";
      log.lease = { ...lease };
      return { ...log.cursor };
    });
  }

  releaseRaw(
    key: SessionKey,
    owner: string,
    { accepted, skipped, acknowledges = false }: Parameters<History["releaseRaw"]>[2],
  ): Promise<"released" | "changed"> {
    return this.call("releaseRaw", key, (log) => {
      if (log.lease?.owner !== owner) return "changed";
      const acknowledged = acknowledges ? accepted : undefined;
      if (acknowledged && !isAhead(acknowledged, log.cursor.acknowledged)) return "changed";
      log.lease = undefined;
      const { skipped: before, ...cursor } = log.cursor;
      const left = accepted ? skipped : before;
      log.cursor = {
        ...cursor,
        ...(left && { skipped: { ...left } }),
        ...(accepted && { accepted: { ...accepted } }),
        ...(acknowledged && { acknowledged: { ...acknowledged } }),
      };
      return "released";
    });
  }

  moveWaited(key: SessionKey, waited: Cursor): Promise<void> {
    return this.call("moveWaited", key, (log) => {
      if (isAhead(waited, log.cursor.waited)) log.cursor = { ...log.cursor, waited: { ...waited } };
    });
  }

  claimKey(
    key: SessionKey,
    idempotencyKey: string,
    claim: KeyClaim,
    voidBeforeMs: number,
  ): Promise<"claimed" | "taken"> {
    return this.call("claimKey", key, ({ claims }) => {
      const existing = claims.get(idempotencyKey);
      if (existing && existing.claimedAtMs >= voidBeforeMs) return "taken";
      claims.set(idempotencyKey, { ...claim });
      return "claimed";
    });
  }

  readKeyClaim(key: SessionKey, idempotencyKey: string): Promise<KeyClaim | undefined> {
    return this.call("readKeyClaim", key, ({ claims }) => {
      const claim = claims.get(idempotencyKey);
      return claim && { ...claim };
    });
  }

  private change(name: string, key: SessionKey, first: number, changed: (segment: Segment) => Segment): Promise<void> {
    return this.call(name, key, ({ segments }) => {
      const segment = segments.get(first);
      if (segment) segments.set(first, changed(segment));
    });
  }

  private async call<T>(name: string, key: SessionKey | undefined, work: (log: MemoryLog) => T): Promise<T> {
    this.calls.push(name);
    await this.beforeCall(name, key);
    // `findDue` is of no session; its work asks for none.
    const result = work(key ? this.log(key) : (undefined as never));
    await this.afterCall(name, key);
    return result;
  }
}

function isMarkedAs(segment: Segment, seen: Segment): boolean {
  return segment.isMarked === seen.isMarked && segment.dueAtMs === seen.dueAtMs;
}

function isAhead(cursor: Cursor, of: Cursor | undefined): boolean {
  return of === undefined || of.epoch !== cursor.epoch || of.seq < cursor.seq;
}

function sorted(segments: ReadonlyMap<number, Segment>): Segment[] {
  return [...segments.values()].sort((a, b) => a.first - b.first);
}

function pageOf(segments: readonly Segment[], limit: number): Segment[] {
  const page: Segment[] = [];
  let bytes = 0;
  for (const segment of segments.slice(0, limit)) {
    bytes += segment.messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    if (page.length > 0 && bytes > PAGE_BYTES) break;
    page.push({ ...segment });
  }
  return page;
}
