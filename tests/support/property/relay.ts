import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { INDEX_SHARDS } from "../../../handlers/connections/connectionItems";
import type { ConnectionsClient } from "../../../handlers/connections/connectionsClient";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import type { ConnectionLookups } from "../../../handlers/connections/connectionLookups";
import type { Handshake } from "../../../handlers/connect/handshake";
import type { Log, LogFields } from "../../../handlers/log";
import { REASONS } from "../../../handlers/messages/reasons";
import type { Metrics } from "../../../handlers/metrics";
import type { MessageQueue } from "../../../handlers/queue/queue";
import { acknowledge } from "../../../handlers/frames/acknowledge";
import { connectReplay } from "../../../handlers/connect/connectReplay";
import { deliverReplay } from "../../../handlers/deliver/deliverReplay";
import { historySweeper } from "../../../handlers/sweepers/historySweeper";
import { disconnectUser } from "../../../handlers/operations/disconnectUser";
import { sessionSweeper } from "../../../handlers/sweepers/sessionSweeper";
import type { TokenExpiryIndex } from "../../../handlers/connections/tokenExpiryIndex";
import type { PartialDeliveries } from "../../../handlers/deliver/partialDeliveries";
import { rawPoster } from "../../../handlers/raw/rawPoster";
import { flush } from "../../../handlers/raw/flush";
import type { FlushRequests } from "../../../handlers/raw/flushRequests";
import type { History } from "../../../handlers/history/history";
import { seqIn } from "../../../handlers/history/recovery";
import { skippedIn } from "../../../handlers/raw/readPage";
import { lastSeqOf } from "../../../handlers/history/segment";
import type { Connections } from "../../../handlers/sessions/sessionRow";
import type { Receipts } from "../../../handlers/receipts/receipts";
import { resume } from "../../../handlers/frames/resume";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import type { SessionStore } from "../../../handlers/sessions/sessionStore";
import type { Action } from "../../../protocol";
import { MemoryTable } from "../memoryTable";
import { frameToRelay } from "../schemas";
import type { Faults } from "./faults";
import { type Functions, Gateway } from "./gateway";
import { Invocation } from "./invocation";
import { Ledger } from "./ledger";
import { ModelHistory } from "./modelHistory";
import { ModelFlushQueue } from "./modelFlushQueue";
import { ModelQueue } from "./modelQueue";
import { RawRules } from "./rawRules";
import type { Simulation } from "./simulation";

/** Each user has one session. */
export function sessionKeyOf(user: string): SessionKey {
  return { callerId: `user#${user}`, context: `chat#${user}` };
}

export type FunctionName =
  "connect" | "disconnect" | "deliver" | "resume" | "acknowledge" | "expire" | "flush" | "endSessions" | "operator";

/** The services that a function uses; their methods are calls of its invocation. */
export interface Services {
  sessions: SessionStore;
  lookups: ConnectionLookups;
  history: History;
  connections: ConnectionsClient;
  queue: MessageQueue;
  receipts: Receipts;
  partials: PartialDeliveries;
  flushRequests: FlushRequests;
}

export interface RelayOptions {
  retentionMs: number;
  deadLetterExpired: boolean;
  /** Announced to clients. */
  ackSeconds: number | undefined;
  maxConnectionMs: number;
  connections: Connections;
  sessionTtlSeconds: number;
  /** How long tokens are valid; undefined if sessions do not end with their tokens. */
  tokenSeconds: number | undefined;
  /** Replaces services of a function, to put a mistake into it. */
  alter?: (services: Services, name: FunctionName, now: () => number) => Services;
}

/** Of a message, before it is dead-lettered. */
const MAX_ATTEMPTS = 8;

const ignored = () => undefined;
const metrics: Metrics = { add: ignored, flush: ignored };

/** The functions as they are deployed, over tables, queues and a gateway in memory. */
export class Relay implements Functions {
  readonly ledger: Ledger;
  readonly gateway: Gateway;
  readonly queue: ModelQueue;
  readonly table = new MemoryTable();
  readonly history: ModelHistory;
  readonly rules: RawRules;
  private readonly flushQueue: ModelFlushQueue;
  private readonly partials = new ModelPartialDeliveries((id) => this.queue.isPartial(id));
  private epochs = 0;
  private owners = 0;
  private readonly running = new Set<Invocation>();

  constructor(
    private readonly simulation: Simulation,
    private readonly faults: Faults,
    private readonly options: RelayOptions,
  ) {
    this.ledger = new Ledger(simulation, options.retentionMs);
    this.history = new ModelHistory(this.ledger, simulation, faults, () => this.rules);
    this.gateway = new Gateway(simulation, faults, this, options.maxConnectionMs, options.connections);
    this.rules = new RawRules(simulation, this.ledger, this.table, this.gateway.connections, true);
    this.ledger.onDone = (message) => {
      if (message.copies === 0) this.rules.deleted(message);
    };
    this.ledger.onDeadLettered = (message, reason) => this.rules.deadLettered(message, reason);
    const deliver = (event: SQSEvent) => this.deliver(event);
    this.queue = new ModelQueue(simulation, faults, this.ledger, options.retentionMs, MAX_ATTEMPTS, deliver);
    this.flushQueue = new ModelFlushQueue(simulation, faults, (event) => this.flush(event));
  }

  postedRaw(...args: Parameters<RawRules["posted"]>): void {
    const [{ id, passes }, body, result] = args;
    this.log("deliver").info("posted raw", { connectionId: id, body: body.slice(0, 6), result, passes });
    this.rules.posted(...args);
  }

  closingRaw(...args: Parameters<RawRules["closing"]>): void {
    this.rules.closing(...args);
  }

  /** Whether everything that is stored has been posted to the session's raw clients, or was acknowledged. */
  isFlushed(key: SessionKey): boolean {
    const { cursor } = this.history.log(key);
    const tail = this.history.segments(key).at(-1);
    if (!tail) return true;
    const { acknowledged, accepted, settled } = cursor;
    const isPast = [acknowledged, accepted, settled].some((each) => seqIn(tail.epoch, each) >= lastSeqOf(tail));
    return (isPast && !skippedIn(tail.epoch, cursor)) || tail.untilMs <= this.simulation.now;
  }

  violated(what: string): void {
    this.ledger.violated(what);
  }

  /** Ends every invocation: each has real timers, which keep the process alive. */
  async end(): Promise<void> {
    for (const invocation of this.running) invocation.crash();
    await this.simulation.end(() => this.running.size === 0);
  }

  async connect(handshake: Handshake): ReturnType<Functions["connect"]> {
    const { invocation, services, common } = this.invocation("connect");
    const handler = connectReplay({
      ...services,
      ...common,
      connectionsOfSession: this.options.connections,
      sessionTtlSeconds: this.options.sessionTtlSeconds,
      endSessionWithToken: this.options.tokenSeconds !== undefined,
      markers: invocation.bound(this.table.markers),
      historyRetentionSeconds: Math.ceil(this.options.retentionMs / 1000),
      userConnections: invocation.bound(this.table),
      authenticator: {
        authenticate: ({ queryStringParameters }) =>
          Promise.resolve({ user: queryStringParameters?.user ?? "", expiresAt: this.tokenEnd() }),
      },
    });
    return await this.run(invocation, () => handler(handshake, invocation));
  }

  async disconnect(connectionId: string): Promise<void> {
    const { invocation, services, common } = this.invocation("disconnect");
    const handler = disconnect({ ...services, log: common.log });
    await this.run(invocation, () => handler({ requestContext: { connectionId, requestId: "r1" } }));
  }

  async frame(connectionId: string, action: Action): Promise<boolean> {
    const { retentionMs } = this.options;
    const name = action.action === "resume" ? "resume" : "acknowledge";
    const { invocation, services, common } = this.invocation(name);
    const deadLetters = this.options.deadLetterExpired ? services.queue : undefined;
    const handler =
      name === "resume"
        ? resume({ ...services, ...common, deadLetters, retentionMs, ackSeconds: this.options.ackSeconds })
        : acknowledge({ ...services, ...common });
    const event = { requestContext: { connectionId, requestId: "r1" }, body: frameToRelay(action) };
    return (await this.run(invocation, () => handler(event, invocation))) !== undefined;
  }

  async deliver(event: SQSEvent): Promise<SQSBatchResponse | undefined> {
    const { random } = this.simulation;
    const { invocation, services, common } = this.invocation("deliver");
    const raw = this.raw(services);
    const handler = deliverReplay({
      ...services,
      ...common,
      ...raw,
      random,
      scopes: invocation.bound(this.table.markers),
      connectionsOfSession: this.options.connections,
      postToRaw: rawPoster({ ...services, ...common, ...raw }),
      maxAttempts: MAX_ATTEMPTS,
      backoff: { minSeconds: 1, maxSeconds: 8 },
      generation: 0,
      newEpoch: () => `epoch${this.epochs++}`,
    });
    return await this.run(invocation, () => handler(event, invocation));
  }

  async expire(): Promise<void> {
    await Promise.all(INDEX_SHARDS.map((shard) => this.sweep(shard)));
  }

  /** Closes connections whose token has ended. */
  async endSessions(): Promise<void> {
    if (this.options.tokenSeconds === undefined) return;
    const { invocation, services, common } = this.invocation("endSessions");
    const { table, faults } = this;
    const index: TokenExpiryIndex = {
      findExpired: async function* (shard, epochSeconds) {
        for await (const page of table.findExpired(shard, epochSeconds)) {
          if (page.length === 0) continue;
          faults.count("token ends");
          yield await invocation.call(() => Promise.resolve(page.filter(() => !faults.happens("index lags"))));
        }
      },
    };
    await this.run(invocation, () => sessionSweeper({ ...services, ...common, index })({}, invocation));
  }

  /** An operator disconnects a user. */
  async disconnectUser(user: string, blockSeconds: number): Promise<void> {
    const { invocation, services, common } = this.invocation("operator");
    const dependencies = {
      ...services,
      now: common.now,
      wait: (ms: number) => this.simulation.pause(ms),
      userConnections: invocation.bound(this.table),
    };
    await this.run(invocation, () => disconnectUser(dependencies, user, { blockSeconds }));
  }

  private async flush(event: SQSEvent): Promise<SQSBatchResponse | undefined> {
    const { invocation, services, common } = this.invocation("flush");
    const handler = flush({
      ...services,
      ...common,
      ...this.raw(services),
      queue: this.flushQueue.client(invocation),
    });
    return await this.run(invocation, () => handler(event, invocation));
  }

  /** What functions that post to raw clients need besides the services. */
  private raw({ queue }: Services) {
    return {
      deadLetters: this.options.deadLetterExpired ? queue : undefined,
      retentionMs: this.options.retentionMs,
      newOwner: () => `owner${this.owners++}`,
      pause: (ms: number) => this.simulation.pause(ms),
    };
  }

  /** Epoch seconds at which a token ends that a client now has. */
  private tokenEnd(): number | undefined {
    const { tokenSeconds } = this.options;
    if (tokenSeconds === undefined) return undefined;
    return Math.ceil(this.simulation.now / 1000 + this.simulation.between(tokenSeconds * 0.2, tokenSeconds));
  }

  private async sweep(shard: string): Promise<void> {
    const { invocation, services, common } = this.invocation("expire");
    const deadLetters = this.options.deadLetterExpired ? services.queue : undefined;
    const { history, faults } = this;
    const lagging: History = Object.create(services.history, {
      findDue: {
        value: async function* (shard: string, nowMs: number) {
          for await (const page of history.findDue(shard, nowMs)) {
            if (page.length === 0) continue;
            yield await invocation.call(() => Promise.resolve(page.filter(() => !faults.happens("index lags"))));
          }
        },
      },
    }) as History;
    const { retentionMs } = this.options;
    const handler = historySweeper({ ...services, ...common, history: lagging, deadLetters, retentionMs });
    await this.run(invocation, () => handler({ shard: Number(shard) }, invocation));
  }

  private async run<T>(invocation: Invocation, handler: () => Promise<T>): Promise<T | undefined> {
    this.running.add(invocation);
    try {
      return await invocation.run(handler);
    } finally {
      this.running.delete(invocation);
    }
  }

  private invocation(name: FunctionName) {
    const invocation = new Invocation(this.simulation, this.faults);
    const services: Services = {
      sessions: invocation.bound(this.table),
      lookups: invocation.bound(this.table.lookups),
      history: invocation.bound(this.history),
      connections: this.gateway.client(invocation),
      queue: this.queue.client(invocation),
      receipts: this.receipts(invocation),
      partials: invocation.bound(this.partials),
      flushRequests: this.flushQueue.requests(invocation),
    };
    const common = { metrics, log: this.log(name), now: invocation.now };
    return { invocation, services: this.options.alter?.(services, name, invocation.now) ?? services, common };
  }

  private receipts(invocation: Invocation): Receipts {
    return {
      wanted: true,
      publish: async (receipts) => {
        await invocation.reach();
        if (this.faults.happens("receipts are rejected")) throw invocation.failure();
        const taken = this.faults.happens("receipts are accepted in part")
          ? Math.floor(this.simulation.random() * receipts.length)
          : receipts.length;
        for (const receipt of receipts.slice(0, taken)) this.ledger.receipt(receipt, invocation.startedAt);
        if (taken < receipts.length) throw invocation.failure();
      },
    };
  }

  /** Prints what the functions log if `PROPERTY_LOG` is set, to debug a single run. */
  private log(name: FunctionName): Log {
    const write = (event: string, fields?: LogFields) => {
      if (fields?.reason === REASONS.sessionExpired) this.faults.count("row has expired");
      if (!process.env.PROPERTY_LOG) return;
      console.log(Math.floor(this.simulation.now) % 1e8, name, event, JSON.stringify(fields));
    };
    return { info: write, warn: write, error: write };
  }
}

/** The records of messages that some connections have taken. */
class ModelPartialDeliveries implements PartialDeliveries {
  private readonly records = new Map<string, Set<string>>();

  constructor(private readonly onAdded: (sqsMessageId: string) => void) {}

  read(sqsMessageIds: readonly string[]): Promise<Map<string, ReadonlySet<string>>> {
    const found = sqsMessageIds.flatMap((id) => {
      const record = this.records.get(id);
      return record ? [[id, new Set(record)] as const] : [];
    });
    return Promise.resolve(new Map(found));
  }

  add(sqsMessageId: string, connectionIds: readonly string[]): Promise<void> {
    this.onAdded(sqsMessageId);
    this.records.set(sqsMessageId, new Set([...(this.records.get(sqsMessageId) ?? []), ...connectionIds]));
    return Promise.resolve();
  }
}
