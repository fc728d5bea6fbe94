import { lineItems, usageOf } from "../cli/cost/estimate";
import { totalUsd } from "../cli/cost/lineItem";
import { PRICES } from "../cli/cost/prices";
import type { ReplayUsage, Usage } from "../cli/cost/usage";
import { awayMessageOf, type Workload } from "../cli/cost/workload";
import type { Mode } from "./deployed";
import { rounded } from "./median";
import type { BenchRelay } from "./relay";
import { tallyConnections, tallyDelivered, tallyExpired, tallyFailedAttempts, tallyMissed } from "./scenarios";
import { perOne, type Tally, usageOfTally } from "./tally";

export interface Bill {
  usd: number;
  /** The estimate of the command `cost` for the same traffic, without its fixed parts. */
  estimatedUsd?: number;
  items: { what: string; count: number; usd: number }[];
  /** The counts for one of them. */
  counted: Record<string, object>;
}

export interface ModeCost {
  perMillionDelivered: Bill;
  perMillionHeldForAnHour: Bill;
  perMillionConnections: Bill;
}

export interface CostMeasurement extends Record<Mode, ModeCost> {
  region: string;
  pricesAsOf: string;
  currency: "USD";
  messageKb: number;
  messagesPerReturn: number;
  attemptsInAnHour: number;
  notes: readonly string[];
}

const MILLION = 1_000_000;
const MINUTES_AWAY = 60;
const MESSAGES_PER_RETURN = 10;

const NOTES = [
  "The requests of the functions are counted in the local run, with DynamoDB's units of tables and indexes, and multiplied by the price table. Messages of 1 KB, one at a time: a queue with full batches costs less.",
  "Delivered: the user is connected; in replay mode each message is acknowledged separately, and deleted after its retention of a day, which costs as much as storing it.",
  "Held: no client is connected for an hour, then a client reconnects to ten messages. In retry mode a message is retried as often as the default back-off allows in an hour: failed attempts are counted and multiplied. In replay mode a message is stored, and sent when the client resumes.",
  "Connections are counted separately: handshake and end; in replay mode with a resume without messages. Connection minutes, heartbeats, empty polls, empty runs of the sweeper, alarms and data transfer are not included.",
  "The duration of functions and the size of their logs are the estimate's assumptions: they cannot be measured on one machine.",
] as const;

/** The defaults of a relay. */
const workload: Workload = {
  delivery: "retry",
  ordering: "standard",
  receipts: false,
  messages: MILLION,
  messageKb: 1,
  connections: 0,
  connectionMinutes: 30,
  pingsPerMinute: 0,
  batchSize: 1,
  awayShare: 0,
  minutesAway: MINUTES_AWAY,
  maxAttempts: 66,
  backoff: { minSeconds: 2, maxSeconds: 120 },
  historyRetentionSeconds: 86_400,
  messagesPerAck: 1,
  messagesPerReturn: MESSAGES_PER_RETURN,
};

export async function measureCost(relays: Record<Mode, BenchRelay>, repetitions: number): Promise<CostMeasurement> {
  const { attempts } = awayMessageOf({ ...workload, delivery: "retry" });
  const retry = await retryCost(relays.retry, repetitions, attempts);
  const replay = await replayCost(relays.replay, repetitions);
  console.error("bench: counted what messages cost");
  const { region, asOf } = PRICES;
  return {
    region,
    pricesAsOf: asOf,
    currency: "USD",
    messageKb: 1,
    messagesPerReturn: MESSAGES_PER_RETURN,
    attemptsInAnHour: attempts,
    retry,
    replay,
    notes: NOTES,
  };
}

async function retryCost(relay: BenchRelay, repetitions: number, attempts: number): Promise<ModeCost> {
  const delivered = await tallyDelivered(relay, "retry", repetitions);
  const connections = await tallyConnections(relay, "retry", repetitions);
  const failed = await tallyFailedAttempts(relay, 5);
  const deliveredUsage = usageOfTally(delivered, "retry", MILLION, 1);
  const failedUsage = usageOfTally(failed, "retry", (attempts - 1) * MILLION, 0);
  return {
    perMillionDelivered: billOf("retry", [deliveredUsage], { delivered }, {}),
    perMillionHeldForAnHour: billOf(
      "retry",
      [deliveredUsage, failedUsage],
      { delivered, failedAttempt: failed },
      { awayShare: 1 },
    ),
    perMillionConnections: billOf("retry", [usageOfTally(connections, "retry", MILLION, 0)], {
      connection: connections,
    }),
  };
}

async function replayCost(relay: BenchRelay, repetitions: number): Promise<ModeCost> {
  const delivered = await tallyDelivered(relay, "replay", repetitions);
  const connections = await tallyConnections(relay, "replay", repetitions);
  const missed = await tallyMissed(relay, MESSAGES_PER_RETURN);
  const deleted = await tallyExpired(relay, MESSAGES_PER_RETURN);
  const deletedUsage = usageOfTally(deleted, "replay", MILLION, 0);
  const stored = storageUsage();
  return {
    perMillionDelivered: billOf(
      "replay",
      [usageOfTally(delivered, "replay", MILLION, 1), deletedUsage, stored],
      { delivered, deleted },
      {},
    ),
    perMillionHeldForAnHour: billOf(
      "replay",
      [usageOfTally(missed, "replay", MILLION, 1), deletedUsage, stored],
      { missed, deleted },
      { awayShare: 1 },
    ),
    perMillionConnections: billOf("replay", [usageOfTally(connections, "replay", MILLION, 0)], {
      connection: connections,
    }),
  };
}

/** @param estimated The workload for the command `cost`. @default there is no estimate */
function billOf(mode: Mode, usages: Usage[], tallies: Record<string, Tally>, estimated?: Partial<Workload>): Bill {
  const items = itemsOf(mode, usages.reduce(sumOf)).filter(({ usd }) => usd > 0);
  const estimate = (messages: number) =>
    totalUsd(itemsOf(mode, usageOf({ ...workload, ...estimated, delivery: mode, messages })));
  return {
    usd: rounded(totalUsd(items), 2),
    ...(estimated && { estimatedUsd: rounded(estimate(MILLION) - estimate(0), 2) }),
    items: items.map(({ service, what, count, usd }) => ({
      what: `${service}: ${what}`,
      count: Math.round(count),
      usd: rounded(usd, 2),
    })),
    counted: Object.fromEntries(Object.entries(tallies).map(([name, tally]) => [name, perOne(tally)])),
  };
}

function itemsOf(delivery: Mode, usage: Usage) {
  return lineItems(
    usage,
    { delivery, ordering: "standard", receipts: false },
    { metrics: 0, alarms: 0, dashboards: 0 },
    PRICES,
  );
}

/** Storage for a day cannot be counted in a short run: taken from the estimate. */
function storageUsage(): Usage {
  const { historyGbMonths = 0 } = usageOf({ ...workload, delivery: "replay" }).replay ?? {};
  const nothing = usageOfTally(
    {
      of: 1,
      invocations: {},
      calls: {},
      framesToClients: 0,
      queueRequests: 0,
      sessionUnits: { read: 0, write: 0 },
      historyUnits: { read: 0, write: 0 },
    },
    "replay",
    0,
    0,
  );
  return { ...nothing, replay: { ...(nothing.replay as ReplayUsage), historyGbMonths } };
}

function sumOf(one: Usage, other: Usage): Usage {
  const { replay: ofOne, ...first } = one;
  const { replay: ofOther, ...second } = other;
  const replay = ofOne && ofOther && added(ofOne, ofOther);
  return { ...added(first, second), ...(replay && { replay }) };
}

function added<T extends object>(one: T, other: T): T {
  return Object.fromEntries(
    Object.entries(one).map(([key, value]) => [key, (value as number) + (other[key as keyof T] as number)]),
  ) as T;
}
