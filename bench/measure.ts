import { type Counted, COUNTED_ROWS, type CountedRow, measureCounted } from "./counted";
import { clientBytes } from "./clientSize";
import { type ContentionMeasurement, measureContention } from "./contention";
import { type Delivery, withDelivery } from "./delivery";
import { type IdleMeasurement, measureIdleClient } from "./idleClient";
import { type FanOutMeasurement, measureFanOut } from "./fanOut";
import type { FleetMeasurement } from "./fleet/measureFleet";
import { measureRawFleet, type RawFleetMeasurement } from "./rawFleet";
import { measureRecovery, type RecoveryMeasurement } from "./recovery";
import { measureReplayThroughput, type ReplayThroughputMeasurement } from "./throughput";
import { adaptersOf, hasConnections } from "./adapters";
import type { Times } from "./times";

/** The measurements of the table, by the name that `--only` takes. */
export const ROWS = [
  "delivered",
  "batch",
  "chunks",
  "streams",
  "held",
  "retry",
  "connection",
  "idle",
  "contended",
  "throughput",
  "connections",
  "raw",
  "fleet",
  "recovery",
  "client",
] as const;
export type Row = (typeof ROWS)[number];

/** What the code of one commit was measured at: counts and times, not money, which is the same price list for all. */
export interface Measured {
  /** What this commit lacks, and how it was measured instead. */
  adapters: string[];
  counted: Counted;
  idle?: IdleMeasurement;
  contended?: ContentionMeasurement;
  throughput?: { stub: ReplayThroughputMeasurement; stubAnswerMs: number; dynalite: ReplayThroughputMeasurement };
  connections?: FanOutMeasurement;
  raw?: RawFleetMeasurement;
  fleet?: FleetMeasurement;
  recovery?: { many: RecoveryMeasurement; few: RecoveryMeasurement; notes: readonly string[] };
  clientBytes?: number;
  /** Seconds that the measurements took, by row; those of local runs together as `counted`. */
  seconds: Record<string, number>;
}

/** What a table takes to answer, within one Availability Zone of AWS. */
const STUB_ANSWER_MS = 5;

const PARALLEL_INVOCATIONS = 5;

export async function measure(rows: readonly (Row | "sequential")[], times: Times): Promise<Measured> {
  const has = (row: Row) => rows.includes(row);
  const seconds: Record<string, number> = {};
  const timed = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    const startMs = performance.now();
    const result = await work();
    seconds[name] = Math.round((performance.now() - startMs) / 1000);
    return result;
  };

  // One after the other, so that no two measurements share the machine.
  const countedRows = rows.filter((row): row is CountedRow => (COUNTED_ROWS as readonly string[]).includes(row));
  const measured: Measured = { adapters: adaptersOf(), counted: { replay: {}, retry: {} }, seconds };
  if (countedRows.length > 0) {
    measured.counted = await timed("counted", () => measureCounted(countedRows, times.counted));
  }
  if (has("client")) measured.clientBytes = clientBytes();
  if (has("idle")) measured.idle = await timed("idle", () => measureIdleClient(times.idleDays));
  if (has("throughput")) measured.throughput = await timed("throughput", () => measureBothThroughputs(times));
  if (has("connections") && hasConnections()) {
    measured.connections = await timed("connections", () => measureFanOut(STUB_ANSWER_MS, times.fanOut));
  }
  if (has("raw") && hasConnections()) measured.raw = await timed("raw", () => measureRawFleet(times.rawFleet));
  if (has("fleet") && hasConnections()) {
    // Not loaded for a commit that lacks what it imports.
    const { measureFleet } = require("./fleet/measureFleet") as typeof import("./fleet/measureFleet");
    measured.fleet = await timed("fleet", () => measureFleet(times.fleet));
  }
  if (has("recovery")) measured.recovery = await timed("recovery", () => measureRecovery(times.recovery));
  if (has("contended")) {
    const { messages, seconds: duration } = times.contention;
    measured.contended = await timed("contended", () => measureContention(messages, duration));
  }
  return measured;
}

async function measureBothThroughputs({ users, replayRounds, replayMessagesPerRound, stubMessagesPerRound }: Times) {
  const compared = (deliveries: Record<"replay" | "retry", Delivery>, messages: number) =>
    measureReplayThroughput(deliveries, users, PARALLEL_INVOCATIONS, replayRounds, messages);
  const withTables = (tables: Parameters<typeof withDelivery>[1], messages: number) =>
    withDelivery("retry", tables, users, (retry) =>
      withDelivery("replay", tables, users, (replay) => compared({ replay, retry }, messages)),
    );
  return {
    stub: await withTables({ stubAnswerMs: STUB_ANSWER_MS }, stubMessagesPerRound),
    stubAnswerMs: STUB_ANSWER_MS,
    dynalite: await withTables("dynalite", replayMessagesPerRound),
  };
}
