import { ASSUMED, REPLAY_ASSUMED } from "../cli/cost/assumed";
import { lineItems, usageOf } from "../cli/cost/estimate";
import { totalUsd } from "../cli/cost/lineItem";
import { PRICES } from "../cli/cost/prices";
import type { Usage } from "../cli/cost/usage";
import type { Workload } from "../cli/cost/workload";
import type { Mode } from "./deployed";
import { rounded } from "./median";
import { perOne, type Tally } from "./tally";

const MILLION = 1_000_000;

/** What a million of something costs, by the price list. */
export interface Bill {
  usd: number;
  items: { what: string; count: number; usd: number }[];
  /** The counts for one of them. */
  counted: Record<string, object>;
}

/** A tally, how often it happens for each of the million. */
export type Part = [name: string, tally: Tally, times?: number];

export function billOf(mode: Mode, parts: readonly Part[]): Bill {
  const usages = parts.map(([, tally, times = 1]) => usageOfTally(tally, mode, times * MILLION));
  const items = itemsOf(mode, usages.reduce(sumOf)).filter(({ usd }) => usd > 0);
  return {
    usd: rounded(totalUsd(items), 3),
    items: items.map(({ service, what, count, usd }) => ({
      what: `${service}: ${what}`,
      count: Math.round(count),
      usd: rounded(usd, 3),
    })),
    counted: Object.fromEntries(parts.map(([name, tally]) => [name, perOne(tally)])),
  };
}

/** The estimate of the command `cost` for a million messages, without its fixed parts. */
export function estimatedUsd(workload: Workload): number {
  const usd = (messages: number) => totalUsd(itemsOf(workload.delivery, usageOf({ ...workload, messages })));
  return rounded(usd(MILLION) - usd(0), 3);
}

/** The billed quantities if what was tallied happens `times` times. */
export function usageOfTally(tally: Tally, mode: Mode, times: number): Usage {
  const factor = times / tally.of;
  const { deliver = 0, resume = 0, acknowledge = 0 } = tally.invocations;
  const invocations = Object.values(tally.invocations).reduce((sum, each) => sum + each, 0);
  // Each published message was delivered at least once. SNS sends each to the queue.
  const sent = tally.publishRequests > 0 ? tally.of : 0;
  return {
    pings: 0,
    connectionMinutes: 0,
    idlePolls: 0,
    deliveries: tally.framesToClients * factor,
    publishes: tally.publishRequests * factor,
    queueRequests: (sent + tally.queueRequests) * factor,
    invocations: invocations * factor,
    gbSeconds: ASSUMED.memoryGb * secondsOf(tally, mode, deliver) * factor,
    writeUnits: tally.sessionUnits.write * factor,
    readUnits: tally.sessionUnits.read * factor,
    logGb: ((tally.logBytes.application + tally.logBytes.platform) / 1024 ** 3) * factor,
    ...(mode === "replay" && {
      replay: {
        clientFrames: (resume + acknowledge) * factor,
        historyWriteUnits: tally.historyUnits.write * factor,
        historyReadUnits: tally.historyUnits.read * factor,
        historyGbMonths: (tally.storedGbMonths ?? 0) * factor,
        receipts: 0,
        publishedGb: 0,
        // The clients that are counted speak the protocol.
        flushRequests: 0,
        flushIdlePolls: 0,
        httpRequests: 0,
      },
    }),
  };
}

function itemsOf(delivery: Mode, usage: Usage) {
  const nothing = { metrics: 0, alarms: 0, dashboards: 0 };
  return lineItems(usage, { delivery, ordering: "standard", receipts: false, rawClients: true }, nothing, PRICES);
}

/** The duration of functions on AWS cannot be measured on one machine: the estimate's assumptions, for every commit. */
function secondsOf({ invocations }: Tally, mode: Mode, deliver: number): number {
  const { connect = 0, disconnect = 0, resume = 0, acknowledge = 0 } = invocations;
  return (
    connect * ASSUMED.connectSeconds +
    disconnect * ASSUMED.disconnectSeconds +
    deliver * (mode === "retry" ? ASSUMED.deliverSeconds : REPLAY_ASSUMED.deliverSeconds) +
    resume * REPLAY_ASSUMED.resumeSeconds +
    acknowledge * REPLAY_ASSUMED.acknowledgeSeconds
  );
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
