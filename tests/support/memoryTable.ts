import { expiryShardOf } from "../../handlers/connections/connectionItems";
import type { ConnectionLookup, ConnectionLookups } from "../../handlers/connections/connectionLookups";
import type { TokenExpiryIndex } from "../../handlers/connections/tokenExpiryIndex";
import { connectionsOf, type UserConnections, type UserRows } from "../../handlers/connections/userConnections";
import { sessionId, type SessionKey } from "../../handlers/sessions/sessionKey";
import type { SessionMarkers } from "../../handlers/sessions/sessionMarkers";
import { liveConnections } from "../../handlers/sessions/sessionRow";
import type { ReadForConnect } from "../../handlers/sessions/sessionStore";
import { MemorySessions } from "./boundaries";

/** The whole table in memory: sessions, lookups, blocks and markers. */
export class MemoryTable extends MemorySessions implements UserConnections, TokenExpiryIndex {
  readonly blocks = new Map<string, number>();
  /** By connection. */
  readonly lookupItems = new Map<string, ConnectionLookup>();
  readonly lookups: ConnectionLookups = {
    add: (lookup) => this.call("addLookup", () => this.putLookup(lookup)),
    read: (connectionId) => this.call("readLookup", () => this.lookupItems.get(connectionId)),
    remove: (connectionId) =>
      this.call("removeLookup", () => {
        const lookup = this.lookupItems.get(connectionId);
        this.lookupItems.delete(connectionId);
        return lookup;
      }),
  };
  /** By `sessionId`: the sessions that count as connected. */
  readonly marked = new Map<string, SessionKey & { until: number }>();
  readonly markers: SessionMarkers = {
    mark: ({ callerId, context }, until) =>
      this.call("mark", () => void this.marked.set(sessionId({ callerId, context }), { callerId, context, until })),
    list: ({ callerId, context }, nowSeconds, limit) =>
      this.call("listMarked", () =>
        [...this.marked.values()]
          .filter((each) => each.callerId === callerId && each.until > nowSeconds)
          .filter((each) => context === undefined || each.context.startsWith(`${context}#`))
          .map((each) => ({ callerId, context: each.context }))
          .slice(0, limit),
      ),
  };
  /** Runs before each call: what happens in the meantime. */
  beforeCall: (name: string) => Promise<void> = () => Promise.resolve();

  putLookup(lookup: ConnectionLookup): void {
    this.lookupItems.set(lookup.connectionId, lookup);
  }

  override async readForConnect(key: SessionKey, options?: { readsMarker?: boolean }): Promise<ReadForConnect> {
    const found = await super.readForConnect(key);
    const blockedUntil = this.blocks.get(key.callerId);
    const markedUntil = options?.readsMarker ? this.marked.get(sessionId(key))?.until : undefined;
    return {
      ...found,
      ...(blockedUntil !== undefined && { blockedUntil }),
      ...(markedUntil !== undefined && { markedUntil }),
    };
  }

  blockedUntil(callerId: string): Promise<number | undefined> {
    return this.call("blockedUntil", () => this.blocks.get(callerId));
  }

  block(callerId: string, until: number): Promise<void> {
    return this.call("block", () => void this.blocks.set(callerId, until));
  }

  listByUser(callerId: string): Promise<UserRows> {
    return this.call("listByUser", () => {
      const blockedUntil = this.blocks.get(callerId);
      const rows = [...this.sessionRows.values()].filter((row) => row.callerId === callerId);
      return {
        sessions: rows.flatMap((row) => liveConnections(row).slice(0, 1)),
        connections: rows.flatMap(connectionsOf),
        ...(blockedUntil !== undefined && { blockedUntil }),
      };
    });
  }

  async *findExpired(shard: string, epochSeconds: number): AsyncGenerator<string[]> {
    yield await this.call(`findExpired ${shard}`, () =>
      [...this.lookupItems.values()]
        .filter(({ connectionId }) => expiryShardOf(connectionId) === shard)
        .filter(({ tokenExpiresAt }) => tokenExpiresAt !== undefined && tokenExpiresAt <= epochSeconds)
        .map(({ connectionId }) => connectionId),
    );
  }

  protected override async call<T>(name: string, work: () => T): Promise<T> {
    await this.beforeCall(name);
    return await super.call(name, work);
  }
}
