import { historyShard } from "../../handlers/history/historyKey";
import type { Claim, Entry, EntryHead, EntryKey, History } from "../../handlers/history/history";
import { dueAtMs } from "../../handlers/history/retention";
import { sessionId, type SessionKey } from "../../handlers/sessions/sessionKey";
import type { Cursor } from "../../protocol";

/** As the service: what one answer holds. */
const PAGE_BYTES = 1024 * 1024;

/** One session's part of the table. */
export interface MemoryLog {
  readonly key: SessionKey;
  readonly entries: Map<number, Entry>;
  readonly claims: Map<string, Claim>;
  /** When each number is due; absent: never. */
  readonly due: Map<number, number>;
  acknowledged: Cursor | undefined;
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
   * Where it is set, `readAfter` is no snapshot: `beforeCall("readAfter: meanwhile")` runs in its middle, and this answers
   * for each number that was written or deleted meanwhile whether the page shows it as it has become.
   */
  seesMeanwhile: (() => boolean) | undefined;
  private readonly logs = new Map<string, MemoryLog>();

  constructor(readonly retentionMs = 86_400_000) {}

  /** A session's part of the table. */
  log(key: SessionKey): MemoryLog {
    const id = sessionId(key);
    const { callerId, context } = key;
    const log = this.logs.get(id) ?? {
      key: { callerId, context },
      acknowledged: undefined,
      entries: new Map<number, Entry>(),
      claims: new Map<string, Claim>(),
      due: new Map<number, number>(),
    };
    this.logs.set(id, log);
    return log;
  }

  /** Every session that something was asked of. */
  sessions(): MemoryLog[] {
    return [...this.logs.values()];
  }

  /** The session's entries in order. */
  entries(key: SessionKey): Entry[] {
    return [...this.log(key).entries.values()].sort((a, b) => a.seq - b.seq);
  }

  readTail(key: SessionKey): Promise<EntryHead | undefined> {
    return this.call("readTail", key, () => headOf(this.entries(key).at(-1)));
  }

  claim(key: SessionKey, messageId: string, claim: Claim, voidBeforeMs: number): Promise<"claimed" | "taken"> {
    return this.call("claim", key, ({ claims }) => {
      const standing = claims.get(messageId);
      if (standing && standing.claimedAtMs >= voidBeforeMs) return "taken";
      claims.set(messageId, { ...claim });
      return "claimed";
    });
  }

  readClaim(key: SessionKey, messageId: string): Promise<Claim | undefined> {
    return this.call("readClaim", key, ({ claims }) => copyOf(claims.get(messageId)));
  }

  moveClaim(key: SessionKey, messageId: string, from: number, to: Claim): Promise<"moved" | "lost"> {
    return this.call("moveClaim", key, ({ claims }) => {
      if (claims.get(messageId)?.seq !== from) return "lost";
      claims.set(messageId, { ...to });
      return "moved";
    });
  }

  put(key: SessionKey, entry: Entry): Promise<"stored" | "taken"> {
    return this.call("put", key, ({ entries, due }) => {
      if (entries.has(entry.seq)) return "taken";
      entries.set(entry.seq, { ...entry });
      due.set(entry.seq, dueAtMs(entry, this.retentionMs));
      return "stored";
    });
  }

  readEntry(key: SessionKey, seq: number): Promise<Entry | undefined> {
    return this.call("readEntry", key, ({ entries }) => copyOf(entries.get(seq)));
  }

  async readAfter(key: SessionKey, afterSeq: number, limit: number): Promise<Entry[]> {
    const read = () => new Map(this.log(key).entries);
    const seesMeanwhile = this.seesMeanwhile;
    if (!seesMeanwhile) return await this.call("readAfter", key, () => pageOf(read(), afterSeq, limit));
    const before = await this.call("readAfter", key, read);
    return await this.call("readAfter: meanwhile", key, () => {
      const after = read();
      const seen = new Map<number, Entry>();
      for (const seq of new Set([...before.keys(), ...after.keys()])) {
        const entry = (before.get(seq) === after.get(seq) || !seesMeanwhile() ? before : after).get(seq);
        if (entry) seen.set(seq, entry);
      }
      return pageOf(seen, afterSeq, limit);
    });
  }

  readOldest(key: SessionKey, storedAfterMs: number): Promise<EntryHead | undefined> {
    return this.call("readOldest", key, () =>
      headOf(this.entries(key).find(({ storedAtMs }) => storedAtMs > storedAfterMs)),
    );
  }

  readAcknowledged(key: SessionKey): Promise<Cursor | undefined> {
    return this.call("readAcknowledged", key, ({ acknowledged }) => copyOf(acknowledged));
  }

  acknowledge(key: SessionKey, { epoch, seq }: Cursor): Promise<"acknowledged" | "stale"> {
    return this.call("acknowledge", key, (log) => {
      if (log.acknowledged?.epoch === epoch && log.acknowledged.seq >= seq) return "stale";
      log.acknowledged = { epoch, seq };
      return "acknowledged";
    });
  }

  async *findDue(shard: string, nowMs: number): AsyncGenerator<EntryKey[]> {
    yield await this.call(`findDue ${shard}`, undefined, () =>
      this.sessions()
        .filter(({ key }) => historyShard(key) === shard)
        .flatMap(({ key, due }) => [...due].map(([seq, dueAt]) => ({ key, seq, dueAt })))
        .filter(({ dueAt }) => dueAt <= nowMs)
        .sort((a, b) => a.dueAt - b.dueAt)
        .map(({ key, seq }) => ({ key, seq })),
    );
  }

  strip(key: SessionKey, seq: number, dueAtMs: number | undefined): Promise<void> {
    return this.call("strip", key, ({ entries, due }) => {
      const entry = entries.get(seq);
      if (!entry) return;
      entries.set(seq, { ...entry, body: undefined, attributes: {} });
      if (dueAtMs === undefined) due.delete(seq);
      else due.set(seq, dueAtMs);
    });
  }

  postpone(key: SessionKey, seq: number, dueAtMs: number): Promise<void> {
    return this.call("postpone", key, ({ entries, due }) => {
      if (entries.has(seq)) due.set(seq, dueAtMs);
    });
  }

  delete(key: SessionKey, seq: number): Promise<void> {
    return this.call("delete", key, ({ entries, due }) => {
      entries.delete(seq);
      due.delete(seq);
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

function pageOf(entries: ReadonlyMap<number, Entry>, afterSeq: number, limit: number): Entry[] {
  const page: Entry[] = [];
  let bytes = 0;
  const sorted = [...entries.values()].filter(({ seq }) => seq > afterSeq).sort((a, b) => a.seq - b.seq);
  for (const entry of sorted.slice(0, limit)) {
    bytes += Buffer.byteLength(entry.body ?? "");
    if (page.length > 0 && bytes > PAGE_BYTES) break;
    page.push({ ...entry });
  }
  return page;
}

function headOf(entry: Entry | undefined): EntryHead | undefined {
  if (!entry) return undefined;
  const { epoch, seq, messageId, storedAtMs, expiresAtMs } = entry;
  return { epoch, seq, messageId, storedAtMs, expiresAtMs };
}

function copyOf<T extends object>(value: T | undefined): T | undefined {
  return value && { ...value };
}
