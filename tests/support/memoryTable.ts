import {
  type ConnectionLookup,
  connectionLookupKey,
  type ConnectionLookups,
} from "../../handlers/connections/connectionLookups";
import { sessionId, type SessionKey } from "../../handlers/sessions/sessionKey";
import {
  type ConnectionKey,
  connectionItemKey,
  expiryShardOf,
  type UserConnection,
} from "../../handlers/connections/connectionItems";
import type { UserConnections, UserItems } from "../../handlers/connections/userConnections";
import { MemorySessions } from "./boundaries";

/** The whole table in memory: sessions, connection items, lookups and blocks. */
export class MemoryTable extends MemorySessions implements UserConnections {
  readonly connections = new Map<string, UserConnection>();
  readonly blocks = new Map<string, number>();
  readonly lookupItems = new Map<string, ConnectionLookup>();
  readonly lookups: ConnectionLookups = {
    add: (lookup) => this.call("addLookup", () => this.putLookup(lookup)),
    read: (connectionId) =>
      this.call("readLookup", () => this.lookupItems.get(sessionId(connectionLookupKey(connectionId)))),
  };
  /** Runs before each call: what happens in the meantime. */
  beforeCall: (name: string) => Promise<void> = () => Promise.resolve();

  putConnection(connection: UserConnection): void {
    this.connections.set(sessionId(connectionItemKey(connection)), connection);
  }

  putLookup(lookup: ConnectionLookup): void {
    this.lookupItems.set(sessionId(connectionLookupKey(lookup.connectionId)), lookup);
  }

  /** The ids of the connections whose items stand. */
  connectionIds(): string[] {
    return [...this.connections.values()].map(({ connectionId }) => connectionId);
  }

  add(connection: UserConnection): Promise<void> {
    return this.call("add", () => this.putConnection(connection));
  }

  readConnection(key: ConnectionKey): Promise<UserConnection | undefined> {
    return this.call("readConnection", () => this.connections.get(sessionId(connectionItemKey(key))));
  }

  blockedUntil(callerId: string): Promise<number | undefined> {
    return this.call("blockedUntil", () => this.blocks.get(callerId));
  }

  block(callerId: string, until: number): Promise<void> {
    return this.call("block", () => void this.blocks.set(callerId, until));
  }

  listByUser(callerId: string): Promise<UserItems> {
    return this.call("listByUser", () => {
      const blockedUntil = this.blocks.get(callerId);
      return {
        sessions: [...this.rows.values()].filter((session) => session.callerId === callerId),
        connections: [...this.connections.values()].filter((connection) => connection.callerId === callerId),
        ...(blockedUntil !== undefined && { blockedUntil }),
      };
    });
  }

  async *findExpired(shard: string, epochSeconds: number): AsyncGenerator<ConnectionKey[]> {
    yield await this.call(`findExpired ${shard}`, () =>
      [...this.connections.values()]
        .filter(({ connectionId }) => expiryShardOf(connectionId) === shard)
        .filter(({ tokenExpiresAt }) => tokenExpiresAt !== undefined && tokenExpiresAt <= epochSeconds)
        .map(({ callerId, connectionId }) => ({ callerId, connectionId })),
    );
  }

  override async deleteIfConnection(key: SessionKey, connectionId: string): Promise<void> {
    await super.deleteIfConnection(key, connectionId);
    for (const items of [this.connections, this.lookupItems]) {
      if (items.get(sessionId(key))?.connectionId === connectionId) items.delete(sessionId(key));
    }
  }

  override async findByConnection(connectionId: string): Promise<SessionKey[]> {
    const sessions = await super.findByConnection(connectionId);
    const items = [...this.connections.values()].filter((connection) => connection.connectionId === connectionId);
    const lookups = [...this.lookupItems.keys()].filter((key) => key === sessionId(connectionLookupKey(connectionId)));
    return [...sessions, ...items.map(connectionItemKey), ...lookups.map(() => connectionLookupKey(connectionId))].map(
      ({ callerId, context }) => ({ callerId, context }),
    );
  }

  protected override async call<T>(name: string, work: () => T): Promise<T> {
    await this.beforeCall(name);
    return await super.call(name, work);
  }
}
