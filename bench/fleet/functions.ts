import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { spec } from "../../components/args/spec";
import { connectReplay } from "../../handlers/connect/connectReplay";
import type { Handshake } from "../../handlers/connect/handshake";
import type { ConnectionsClient } from "../../handlers/connections/connectionsClient";
import { deliver } from "../../handlers/deliver/deliver";
import { deliverReplay } from "../../handlers/deliver/deliverReplay";
import type { PartialDeliveries } from "../../handlers/deliver/partialDeliveries";
import { resume } from "../../handlers/frames/resume";
import type { Log } from "../../handlers/log";
import type { Metrics } from "../../handlers/metrics";
import type { MessageQueue } from "../../handlers/queue/queue";
import { NO_RECEIPTS } from "../../handlers/receipts/receipts";
import type { MemoryHistory } from "../../tests/support/memoryHistory";
import { MemoryTable } from "../../tests/support/memoryTable";
import type { Simulation } from "../../tests/support/property/simulation";
import { ASSUMED_MS } from "./limits";

const DAY_SECONDS = 86_400;

const ignore = () => undefined;
const log: Log = { info: ignore, warn: ignore, error: ignore };
/** With `connections: "newest"`, nothing is recorded. */
const partials: PartialDeliveries = { read: () => Promise.resolve(new Map()), add: () => Promise.resolve() };

/** An invocation's time, which is real, must not end before the virtual one. */
const invocation = { getRemainingTimeInMillis: () => 1_000_000 };

/** The defaults of the configuration. */
export const DEFAULTS = {
  maxAttempts: spec.maxAttempts.default,
  backoff: { minSeconds: spec.backoffMinSeconds.default, maxSeconds: spec.backoffMaxSeconds.default },
  batchSize: spec.batchSize.default,
  maximumConcurrency: spec.maximumConcurrency.default,
};

/** The relay's functions, as they are deployed, over tables in memory whose calls take virtual time. */
export class FleetFunctions {
  readonly table = new MemoryTable();
  /** How often each reason of a failed attempt was counted. */
  readonly reasons: Record<string, number> = {};
  private epochs = 0;

  constructor(
    private readonly simulation: Simulation,
    private readonly history: MemoryHistory,
    private readonly post: ConnectionsClient["post"],
  ) {
    this.table.beforeCall = () => simulation.pause(ASSUMED_MS.table);
    history.beforeCall = () => simulation.pause(ASSUMED_MS.table);
  }

  connect(handshake: Handshake): ReturnType<ReturnType<typeof connectReplay>> {
    const { table } = this;
    const handler = connectReplay({
      ...this.common(),
      sessions: table,
      lookups: table.lookups,
      userConnections: table,
      markers: table.markers,
      authenticator: {
        authenticate: ({ queryStringParameters }) => Promise.resolve({ user: queryStringParameters?.user ?? "" }),
      },
      connectionsOfSession: "newest",
      sessionTtlSeconds: 10_800,
      endSessionWithToken: false,
      historyRetentionSeconds: DAY_SECONDS,
    });
    return handler(handshake, invocation);
  }

  async resume(connectionId: string, body: string): Promise<void> {
    const handler = resume({
      ...this.common(),
      sessions: this.table,
      lookups: this.table.lookups,
      history: this.history,
      retentionMs: DAY_SECONDS * 1000,
      receipts: NO_RECEIPTS,
      deadLetters: undefined,
    });
    await handler({ requestContext: { connectionId, requestId: "r1" }, body }, invocation);
  }

  /** An environment of `deliver`: what it keeps between invocations is its own. */
  deliver(mode: "retry" | "replay", queue: MessageQueue): (event: SQSEvent) => Promise<SQSBatchResponse> {
    const { table, simulation } = this;
    const { maxAttempts, backoff } = DEFAULTS;
    const common = {
      ...this.common(),
      sessions: table,
      queue,
      partials,
      scopes: table.markers,
      connectionsOfSession: "newest" as const,
      maxAttempts,
      backoff,
      random: simulation.random,
    };
    const handler =
      mode === "retry"
        ? deliver(common)
        : deliverReplay({
            ...common,
            history: this.history,
            retentionMs: DAY_SECONDS * 1000,
            generation: 0,
            newEpoch: () => `epoch${this.epochs++}`,
            pause: (ms) => simulation.pause(ms),
            receipts: NO_RECEIPTS,
            deadLetters: undefined,
          });
    return (event) => handler(event, invocation);
  }

  private common() {
    const { simulation, reasons } = this;
    const metrics: Metrics = {
      add: (name, value, reason = "") => {
        if (name === "Retried") reasons[reason] = (reasons[reason] ?? 0) + value;
      },
      flush: ignore,
    };
    const connections: ConnectionsClient = {
      post: this.post,
      isGone: () => Promise.resolve(true),
      close: () => Promise.resolve("gone"),
    };
    return { connections, metrics, log, now: () => Math.floor(simulation.now) };
  }
}
