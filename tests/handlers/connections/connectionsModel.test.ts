import { expect } from "chai";
import { connect } from "../../../handlers/connect/connect";
import { DynamoDbConnectionIndex } from "../../../handlers/connections/connectionIndex";
import { connectionIdOf } from "../../../handlers/connections/connectionItems";
import { DynamoDbConnectionLookups } from "../../../handlers/connections/connectionLookups";
import type { ConnectionsClient } from "../../../handlers/connections/connectionsClient";
import { postToConnection } from "../../../handlers/connections/postToConnection";
import { DynamoDbUserConnections } from "../../../handlers/connections/userConnections";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import { disconnectUser } from "../../../handlers/operations/disconnectUser";
import { rowOf, type SessionRow } from "../../../handlers/sessions/sessionItems";
import { sessionId } from "../../../handlers/sessions/sessionKey";
import {
  type Connections,
  liveConnections,
  MAX_LIVE_CONNECTIONS,
  withoutConnection,
} from "../../../handlers/sessions/sessionRow";
import { DynamoDbSessionStore, type SessionStore } from "../../../handlers/sessions/sessionStore";
import { sessionSweeper } from "../../../handlers/sweepers/sessionSweeper";
import { SUBPROTOCOLS } from "../../../protocol";
import { RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent, invocation as invocationOf } from "../../support/events";
import { Interleaving } from "../../support/interleaving";
import { MemoryDynamoDb } from "../../support/memoryDynamoDb";

const FIRST_SEED = 20_261_128;
const RUNS = 600;
const KEY = { callerId: "user#42", context: "chat#7" };
const TABLE = { tableName: "t" };
const MAX_HANDSHAKE_MS = 29_000;

/** What the run is made to get wrong, to see that it would be noticed. */
const MISTAKES = [
  "rows that are written unconditionally",
  "rows that are deleted unconditionally",
  "connections that are just opening, and taken for gone",
  "connections that are taken for gone, and not closed",
  "connections that lose their place, and are not closed",
  "places that are not given back when a handshake fails",
  "places that are given back though a newer connection has come",
] as const;

type Mistake = (typeof MISTAKES)[number];

/** `lost`: the gateway never opened it, or it crashed; it has no `$disconnect`. `failed`: answered 500. */
type State = "pending" | "open" | "ended" | "refused" | "blocked" | "failed" | "lost";

interface Connection {
  connectedAt: number;
  state: State;
  /** Whether connect has tried to close it, since it has lost its place. */
  wasToldToEnd?: boolean;
}

/**
 * Up to 16 connections of one session open and end, every request being a step that may come at any time, while messages are
 * posted, tokens end, sessions expire and the user is disconnected. One connection may have been opened under 0.1.0. The answer to a write of the
 * row may be lost, so that the SDK sends it again. `connect` may crash before any request: its connection then never opens, and
 * has no `$disconnect`. Or one of its requests fails, with or without effect: it answers 500. The gateway is as AWS's: a connection is gone until `$connect` has answered, and sometimes it is called gone
 * while it is open.
 */
class Model {
  readonly table = new MemoryDynamoDb();
  readonly connections = new Map<string, Connection>();
  private readonly steps: Interleaving;
  private readonly setting: Connections;
  private readonly log = new RecordedLog();
  private readonly expires: boolean;
  private crowded: string | undefined;

  constructor(
    seed: number,
    private readonly mistake?: Mistake,
  ) {
    const steps = new Interleaving(seed, { chance: 0.01, ms: 90_000 });
    this.steps = steps;
    this.setting = steps.random() < 0.5 ? "newest" : "all";
    this.expires = steps.random() < 0.2;
    this.table.beforeRequest = async (name, request) => {
      await steps.turn();
      const isMistaken =
        (mistake === "rows that are written unconditionally" && name === "PutItem") ||
        (mistake === "rows that are deleted unconditionally" && name === "DeleteItem");
      if (isMistaken) delete request.ConditionExpression;
      this.crowded ??= this.tooMany(request.Item && rowOf(request.Item));
    };
    this.table.losesAnswer = (_, { Key, Item }) => (Key ?? Item)?.context?.S === KEY.context && steps.random() < 0.1;
  }

  async run(): Promise<void> {
    const { steps } = this;
    if (steps.random() < 0.3) this.openUnder010("old");
    // Most clients of a crowd stay: a session has to be full before any of them loses its place.
    const isCrowd = this.setting === "all" && steps.random() < 0.5;
    const [count, leaves] = isCrowd ? [16, 0.2] : [1 + Math.floor(steps.random() * 8), 0.7];
    for (let i = 0; i < count; i++) {
      steps.start(async () => {
        if (i >= 10) await this.untilFull();
        await this.client(`c${i}`, leaves);
      });
    }
    if (steps.random() < 0.5) for (let i = 0; i < 3; i++) steps.start(() => this.deliver());
    if (this.expires) for (let i = 0; i < 3; i++) steps.start(() => this.sweep());
    if (steps.random() < 0.1) steps.start(() => this.operator());
    await steps.finish();
  }

  /** What is wrong with the table. */
  problem(): string | undefined {
    const item = this.table.items.get(sessionId(KEY));
    const row = item && rowOf(item);
    const inRow = new Set(row?.connections.map(({ connectionId }) => connectionId));
    const live = this.liveConnections();
    const all = [...this.connections].map(([id, connection]) => ({ id, ...connection }));
    const of = (...states: State[]) => all.filter(({ state }) => states.includes(state));

    if (this.crowded) return this.crowded;
    for (const { id, wasToldToEnd } of of("open")) {
      const hasLookup = this.table.items.has(sessionId({ callerId: `connection#${id}`, context: "#connection" }));
      if (!inRow.has(id)) return `${id} is open and not in the row`;
      if (!hasLookup && id !== "old") return `${id} is open and has no lookup`;
      // A handshake may crash before it tells a connection that it has taken its place.
      const isCrashed = of("lost").some((lost) => inRow.has(lost.id));
      const mayBeUntold = this.setting === "newest" || wasToldToEnd || isCrashed;
      if (!live.includes(id) && !mayBeUntold) return `${id} is open and not live`;
    }
    for (const { id, state } of of("ended", "refused", "blocked", "failed")) {
      if (inRow.has(id)) return `${id} is ${state} and in the row`;
      // Of a connection that has ended, the table's TTL deletes it.
      const hasLookup = this.table.items.has(sessionId({ callerId: `connection#${id}`, context: "#connection" }));
      if (state !== "ended" && hasLookup) return `${id} is ${state} and has a lookup`;
    }
    return this.setting === "newest" ? this.problemOfNewest(live[0]) : this.problemOfAll();
  }

  /** Whether more connections than the setting allows are live in a row, also in one that is only about to be written. */
  private tooMany(row: SessionRow | undefined): string | undefined {
    const live = row ? liveConnections(row).map(({ connectionId }) => connectionId) : [];
    return live.length > (this.setting === "all" ? MAX_LIVE_CONNECTIONS : 1) ? `${live.join()} are live` : undefined;
  }

  private problemOfNewest(holder: string | undefined): string | undefined {
    const all = [...this.connections].map(([id, connection]) => ({ id, ...connection }));
    for (const { id, state, connectedAt } of all) {
      const newer = all.filter((each) => each.state !== "refused" && each.id !== id && each.connectedAt >= connectedAt);
      if (state === "refused" && newer.length === 0) return `${id} is refused and the newest`;
      const isNewest = newer.every((each) => each.state === "failed");
      if (state === "open" && isNewest && holder !== id) return `${id} is the newest, not ${holder}`;
    }
    return undefined;
  }

  private problemOfAll(): string | undefined {
    const states = [...this.connections.values()].map(({ state }) => state);
    const [refused] = [...this.connections].filter(([, { state }]) => state === "refused");
    const admitted = states.filter((state) => !["refused", "blocked"].includes(state)).length;
    return refused && admitted < MAX_LIVE_CONNECTIONS ? `${refused[0]} is refused, and there was a place` : undefined;
  }

  private openUnder010(connectionId: string): void {
    const { steps, table } = this;
    table.items.set(sessionId(KEY), {
      caller_id: { S: KEY.callerId },
      context: { S: KEY.context },
      connection_id: { S: connectionId },
      connected_at: { N: String(steps.now - 1) },
      expiration_date: { N: String(Math.floor(steps.now / 1000) + 10_800) },
    });
    this.connections.set(connectionId, { connectedAt: steps.now - 1, state: "open" });
    if (steps.random() < 0.6) steps.start(() => this.leave(connectionId));
  }

  /** Resolves when the session is full, or when that takes too long. Half of the time, its connections are old by then. */
  private async untilFull(): Promise<void> {
    const { steps } = this;
    const isFull = () => this.liveConnections().length >= MAX_LIVE_CONNECTIONS;
    for (let turns = 0; turns < 100 && !isFull(); turns++) await steps.turn();
    if (steps.random() < 0.5) await steps.turn(60_000);
  }

  private liveConnections(): string[] {
    const item = this.table.items.get(sessionId(KEY));
    const row = item && rowOf(item);
    return row ? liveConnections(row).map(({ connectionId }) => connectionId) : [];
  }

  private async client(connectionId: string, leaves: number): Promise<void> {
    const { steps } = this;
    await steps.turn();
    const connectedAt = Math.floor(steps.now);
    const fault = steps.random();
    const nth = Math.floor(steps.random() * 4);
    const invocation = this.stores(fault < 0.1 ? { crashesAt: nth } : fault < 0.2 ? { failsAt: nth } : {});
    const isYoungTakenForGone = this.mistake === "connections that are just opening, and taken for gone";
    const $connect = connect({
      authenticator: {
        authenticate: () => Promise.resolve({ user: "42", expiresAt: Math.floor(steps.now / 1000) + 60 }),
      },
      ...invocation,
      sessions: this.sessionsOfConnect(invocation.sessions),
      connectionsOfSession: this.setting,
      connections: this.gatewayFor("connect"),
      chooseSubprotocol: () => ({ value: steps.random() < 0.5 ? SUBPROTOCOLS.v1 : undefined }),
      metrics: new RecordedMetrics(),
      log: this.log,
      now: () => steps.now + (isYoungTakenForGone ? 60_000 : 0),
      sessionTtlSeconds: steps.random() < 0.1 ? 30 : 10_800,
      endSessionWithToken: this.expires,
    });
    const connection: Connection = { connectedAt, state: "pending" };
    this.connections.set(connectionId, connection);
    const query = { context: "chat", contextId: "7" };
    const { statusCode } = await $connect(connectEvent({ connectionId, connectedAt, query }), invocationOf());
    const isInTime = steps.now - connectedAt <= MAX_HANDSHAKE_MS;
    if (invocation.isCrashed()) connection.state = "lost";
    else if (statusCode === 500) connection.state = isInTime ? "failed" : "lost";
    else if (statusCode !== 200) connection.state = statusCode === 403 ? "blocked" : "refused";
    else connection.state = isInTime ? "open" : "lost";
    if (connection.state === "open" && steps.random() < leaves) await this.leave(connectionId);
  }

  /** The client closes its connection, unless the relay has. */
  private async leave(connectionId: string): Promise<void> {
    await this.steps.turn();
    this.end(connectionId);
  }

  private end(connectionId: string): void {
    const connection = this.connections.get(connectionId);
    if (connection?.state !== "open") return;
    connection.state = "ended";
    this.steps.start(async () => {
      const { client } = this.table;
      // The query shows all rows of the table, as an index that lags may show rows of other connections.
      const index = new DynamoDbConnectionIndex(client, { ...TABLE, indexName: "i" });
      index.find = () => Promise.resolve([KEY]);
      const $disconnect = disconnect({ ...this.stores(), index, log: this.log });
      const { statusCode } = await $disconnect({ requestContext: { connectionId, requestId: "r1" } });
      expect(statusCode).to.equal(200);
    });
  }

  /** Posts to every live connection, one after another. */
  private async deliver(): Promise<void> {
    const { steps } = this;
    const { sessions } = this.stores();
    await steps.turn();
    const row = await sessions.read(KEY);
    for (const connection of row ? liveConnections(row) : []) {
      await postToConnection(
        { text: "hello", fields: {} },
        connection,
        {
          sessions,
          connections: this.gatewayFor("deliver"),
          subprotocols: [undefined, SUBPROTOCOLS.v1],
          now: () => steps.now,
          log: this.log,
        },
        AbortSignal.timeout(60_000),
      );
    }
  }

  /** The index lags no more than the table here. */
  private async sweep(): Promise<void> {
    const { steps, table } = this;
    await steps.turn(30_000);
    const index = {
      async *findExpired(shard: string, epochSeconds: number) {
        yield await Promise.resolve(
          [...table.items.values()]
            .filter((item) => item.expiry_shard?.S === shard && Number(item.token_expires_at?.N) <= epochSeconds)
            .flatMap((item) => connectionIdOf(item.caller_id?.S ?? "") ?? []),
        );
      },
    };
    const handler = sessionSweeper({
      ...this.stores(),
      index,
      connections: this.gatewayFor("sweeper"),
      metrics: new RecordedMetrics(),
      log: this.log,
      now: () => steps.now,
    });
    await handler({}, { getRemainingTimeInMillis: () => 60_000 });
  }

  private async operator(): Promise<void> {
    const { steps } = this;
    await steps.turn();
    await disconnectUser(
      {
        ...this.stores(),
        connections: this.gatewayFor("operator"),
        now: () => steps.now,
        wait: (ms) => steps.turn(ms),
      },
      "42",
      { blockSeconds: steps.random() < 0.5 ? 0 : 30 },
    );
  }

  private gatewayFor(caller: "connect" | "deliver" | "sweeper" | "operator"): ConnectionsClient {
    const { steps, connections, mistake } = this;
    const isOpen = async (connectionId: string) => {
      await steps.turn();
      return connections.get(connectionId)?.state === "open";
    };
    const calledGone = new Set<string>();
    return {
      post: async (connectionId) => ({
        result: (await isOpen(connectionId)) && steps.random() < 0.9 ? "delivered" : "gone",
      }),
      isGone: async (connectionId) => {
        const isGone = !(await isOpen(connectionId)) || steps.random() < 0.1;
        if (isGone) calledGone.add(connectionId);
        return isGone;
      },
      close: async (connectionId) => {
        const wasOpen = await isOpen(connectionId);
        const hasLostItsPlace = caller === "connect" && !calledGone.has(connectionId);
        if (hasLostItsPlace && mistake === "connections that lose their place, and are not closed") return "gone";
        const connection = connections.get(connectionId);
        if (hasLostItsPlace && connection) connection.wasToldToEnd = true;
        if (!wasOpen) return "gone";
        if (calledGone.has(connectionId) && mistake === "connections that are taken for gone, and not closed")
          return "gone";
        this.end(connectionId);
        return "closed";
      },
    };
  }

  /** The store of `connect`, with its mistakes. */
  private sessionsOfConnect(sessions: DynamoDbSessionStore): SessionStore {
    const { mistake } = this;
    const store = Object.create(sessions) as DynamoDbSessionStore;
    store.removeConnection = async (key, connectionId, signal, without) => {
      if (mistake === "places that are not given back when a handshake fails") {
        return await sessions.removeConnection(key, connectionId, signal);
      }
      const always: typeof without = (row, id) => {
        const connections = row.connections.map(({ supersededBy, ...each }) =>
          supersededBy === id ? each : { ...each, supersededBy },
        );
        return withoutConnection({ ...row, connections }, id);
      };
      const isMistaken = mistake === "places that are given back though a newer connection has come";
      return await sessions.removeConnection(key, connectionId, signal, isMistaken ? always : without);
    };
    return store;
  }

  /** The stores of one invocation. After so many requests it crashes, or one request fails. */
  private stores({ crashesAt = Infinity, failsAt = Infinity } = {}) {
    let [requests, isCrashed] = [0, false];
    const send = async (command: never) => {
      const request = requests++;
      isCrashed ||= request >= crashesAt;
      if (isCrashed) throw new Error("crashed");
      const hasEffect = request !== failsAt || this.steps.random() < 0.5;
      const answer = hasEffect ? await this.table.client.send(command).catch((error: Error) => error) : undefined;
      if (request === failsAt) throw new Error("no answer");
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const client = { send } as unknown as typeof this.table.client;
    return {
      sessions: new DynamoDbSessionStore(client, TABLE),
      lookups: new DynamoDbConnectionLookups(client, TABLE),
      userConnections: new DynamoDbUserConnections(client, TABLE),
      isCrashed: () => isCrashed,
    };
  }
}

/** The first run after which the table is wrong. */
async function firstFailure(mistake?: Mistake): Promise<string | undefined> {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const model = new Model(seed, mistake);
    await model.run();
    const problem = model.problem();
    if (problem) return `seed ${seed}: ${problem}`;
  }
  return undefined;
}

describe("connect, disconnect and those who end connections, whatever comes between their requests", () => {
  it(`keep every open connection in its session's row, and no other, in both settings (${RUNS} random runs)`, async () => {
    expect(await firstFailure()).to.equal(undefined);
  });

  for (const mistake of MISTAKES) {
    it(`would not pass with ${mistake}`, async () => {
      expect(await firstFailure(mistake)).to.be.a("string");
    });
  }
});
