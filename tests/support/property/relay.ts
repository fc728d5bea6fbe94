import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { INDEX_SHARDS } from "../../../handlers/connections/connectionItems";
import type { ConnectionsClient } from "../../../handlers/connections/connectionsClient";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import type { ConnectionLookups } from "../../../handlers/connections/connectionLookups";
import type { Handshake } from "../../../handlers/connect/handshake";
import type { Log } from "../../../handlers/log";
import type { Metrics } from "../../../handlers/metrics";
import type { MessageQueue } from "../../../handlers/queue/queue";
import { acknowledge } from "../../../handlers/frames/acknowledge";
import { connectReplay } from "../../../handlers/connect/connectReplay";
import { deliverReplay } from "../../../handlers/deliver/deliverReplay";
import { historySweeper } from "../../../handlers/sweepers/historySweeper";
import type { History } from "../../../handlers/history/history";
import type { Receipts } from "../../../handlers/receipts/receipts";
import { resume } from "../../../handlers/frames/resume";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import type { SessionStore } from "../../../handlers/sessions/sessionStore";
import type { Action } from "../../../protocol";
import { MemoryTable } from "../memoryTable";
import { frameToRelay } from "../schemas";
import type { Faults } from "./faults";
import { type Functions, Gateway } from "./gateway";
import { Invocation, ServiceError } from "./invocation";
import { Ledger } from "./ledger";
import { ModelHistory } from "./modelHistory";
import { ModelQueue } from "./modelQueue";
import type { Simulation } from "./simulation";

/** Each user has one session. */
export function sessionKeyOf(user: string): SessionKey {
  return { callerId: `user#${user}`, context: `chat#${user}` };
}

export type FunctionName = "connect" | "disconnect" | "deliver" | "resume" | "acknowledge" | "expire";

/** The services that a function uses; their methods are calls of its invocation. */
export interface Services {
  sessions: SessionStore;
  lookups: ConnectionLookups;
  history: History;
  connections: ConnectionsClient;
  queue: MessageQueue;
  receipts: Receipts;
}

export interface RelayOptions {
  retentionMs: number;
  deadLetterExpired: boolean;
  /** Announced to clients. */
  ackSeconds: number | undefined;
  maxConnectionMs: number;
  /** Replaces services of a function, to put a mistake into it. */
  alter?: (services: Services, name: FunctionName, now: () => number) => Services;
}

const ignored = () => undefined;
const metrics: Metrics = { add: ignored, flush: ignored };

/** The functions as they are deployed, over tables, queues and a gateway in memory. */
export class Relay implements Functions {
  readonly ledger: Ledger;
  readonly gateway: Gateway;
  readonly queue: ModelQueue;
  readonly table = new MemoryTable();
  readonly history: ModelHistory;
  private epochs = 0;
  private readonly running = new Set<Invocation>();

  constructor(
    private readonly simulation: Simulation,
    private readonly faults: Faults,
    private readonly options: RelayOptions,
  ) {
    this.ledger = new Ledger(simulation, options.retentionMs);
    this.history = new ModelHistory(this.ledger, simulation, faults);
    this.gateway = new Gateway(simulation, faults, this, options.maxConnectionMs);
    this.queue = new ModelQueue(simulation, faults, this.ledger, options.retentionMs, (event) => this.deliver(event));
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
      sessionTtlSeconds: 10_800,
      endSessionWithToken: false,
      markers: this.table.markers,
      historyRetentionSeconds: Math.ceil(this.options.retentionMs / 1000),
      userConnections: invocation.bound(this.table),
      authenticator: {
        authenticate: ({ queryStringParameters }) => Promise.resolve({ user: queryStringParameters?.user ?? "" }),
      },
    });
    return await this.run(invocation, () => handler(handshake));
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
    const deadLetters = this.options.deadLetterExpired ? services.queue : undefined;
    const handler = deliverReplay({
      ...services,
      ...common,
      deadLetters,
      random,
      retentionMs: this.options.retentionMs,
      maxAttempts: 8,
      backoff: { minSeconds: 1, maxSeconds: 8 },
      generation: 0,
      newEpoch: () => `epoch${this.epochs++}`,
      pause: (ms) => this.simulation.pause(ms),
    });
    return await this.run(invocation, () => handler(event, invocation));
  }

  async expire(): Promise<void> {
    await Promise.all(INDEX_SHARDS.map((shard) => this.sweep(shard)));
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
    };
    const common = { metrics, log: this.log(name), now: invocation.now };
    return { invocation, services: this.options.alter?.(services, name, invocation.now) ?? services, common };
  }

  private receipts(invocation: Invocation): Receipts {
    return {
      wanted: true,
      publish: async (receipts) => {
        await invocation.reach();
        if (this.faults.happens("receipts are rejected")) throw new ServiceError();
        const taken = this.faults.happens("receipts are accepted in part")
          ? Math.floor(this.simulation.random() * receipts.length)
          : receipts.length;
        for (const receipt of receipts.slice(0, taken)) this.ledger.receipt(receipt, invocation.startedAt);
        if (taken < receipts.length) throw new ServiceError();
      },
    };
  }

  /** Prints what the functions log if `PROPERTY_LOG` is set, to debug a single run. */
  private log(name: FunctionName): Log {
    if (!process.env.PROPERTY_LOG) return { info: ignored, warn: ignored, error: ignored };
    const write = (event: string, fields?: object) =>
      console.log(Math.floor(this.simulation.now) % 1e8, name, event, JSON.stringify(fields));
    return { info: write, warn: write, error: write };
  }
}
