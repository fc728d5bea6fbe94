import { ASSUMED, INCREMENTS_KB, increments, REPLAY_ASSUMED } from "../cli/cost/assumed";
import type { Usage } from "../cli/cost/usage";
import type { Mode } from "./deployed";
import type { Recording, ServiceCall } from "./recorder";

/** The recorded work of some functions for a number of messages or connections. */
export interface Tally {
  /** Number of messages or connections. */
  of: number;
  invocations: Record<string, number>;
  /** `deliver: PutItem history`, … */
  calls: Record<string, number>;
  sessionUnits: { read: number; write: number };
  historyUnits: { read: number; write: number };
  /** Frames to clients, in increments of 32 KB. */
  framesToClients: number;
  /** Requests to the queue in increments of 64 KB, without those of SNS. */
  queueRequests: number;
}

/** The poller's calls, with and without messages. */
const polls = new Set(["ReceiveMessage", "GetQueueAttributes"]);

export function tallyOf(recording: Recording, of: number, by: readonly string[], historyTableName?: string): Tally {
  const tally: Tally = {
    of,
    invocations: Object.fromEntries(Object.entries(recording.invocations).filter(([name]) => by.includes(name))),
    calls: {},
    sessionUnits: { read: 0, write: 0 },
    historyUnits: { read: 0, write: 0 },
    framesToClients: 0,
    queueRequests: 0,
  };
  for (const call of recording.calls.filter((each) => by.includes(each.by) && !polls.has(each.operation))) {
    count(tally, call, historyTableName);
  }
  // A batch is received once. Empty receives do not depend on the number of messages.
  const receives = tally.invocations.deliver ?? 0;
  if (receives > 0) tally.calls["deliver: ReceiveMessage queue"] = receives;
  tally.queueRequests += receives;
  return tally;
}

function count(tally: Tally, { by, service, operation, bytes, units }: ServiceCall, historyTableName?: string): void {
  const isHistory = units !== undefined && units.table === historyTableName;
  const target =
    service === "table" ? (isHistory ? "history" : "sessions") : service === "messaging" ? "queue" : service;
  const name = `${by}: ${operation} ${target}`;
  tally.calls[name] = (tally.calls[name] ?? 0) + 1;
  if (units) {
    const sum = isHistory ? tally.historyUnits : tally.sessionUnits;
    sum.read += units.read;
    sum.write += units.write;
  } else if (service === "management") {
    if (operation === "POST") tally.framesToClients += increments(bytes / 1024, INCREMENTS_KB.delivery);
  } else {
    tally.queueRequests += increments(bytes / 1024, INCREMENTS_KB.queueRequest);
  }
}

/** The counts of a tally per message or connection. */
export function perOne({ of, calls, invocations }: Tally): { invocations: object; calls: Record<string, number> } {
  const divided = (counts: Record<string, number>) =>
    Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, Number((value / of).toFixed(3))]));
  return { invocations: divided(invocations), calls: divided(calls) };
}

/** The billed quantities if this happens `times` times, with `publishedOfEach` publishes each time. */
export function usageOfTally(tally: Tally, mode: Mode, times: number, publishedOfEach: number): Usage {
  const factor = times / tally.of;
  const published = times * publishedOfEach;
  const { deliver = 0, resume = 0, acknowledge = 0 } = tally.invocations;
  const invocations = Object.values(tally.invocations).reduce((sum, each) => sum + each, 0);
  const attempts = mode === "retry" ? deliver : publishedOfEach * tally.of;
  return {
    pings: 0,
    connectionMinutes: 0,
    idlePolls: 0,
    deliveries: tally.framesToClients * factor,
    publishes: published,
    // SNS sends each message to the queue.
    queueRequests: published + tally.queueRequests * factor,
    invocations: invocations * factor,
    gbSeconds: ASSUMED.memoryGb * secondsOf(tally, mode) * factor,
    writeUnits: tally.sessionUnits.write * factor,
    readUnits: tally.sessionUnits.read * factor,
    logGb: ((invocations * ASSUMED.logKbPerInvocation + attempts * ASSUMED.logKbPerAttempt) * factor) / 1024 ** 2,
    ...(mode === "replay" && {
      replay: {
        clientFrames: (resume + acknowledge) * factor,
        historyWriteUnits: tally.historyUnits.write * factor,
        historyReadUnits: tally.historyUnits.read * factor,
        historyGbMonths: 0,
        receipts: 0,
        publishedGb: 0,
      },
    }),
  };
}

/** The duration of functions on AWS cannot be measured on one machine: the estimate's assumptions. */
function secondsOf({ invocations }: Tally, mode: Mode): number {
  const seconds: Record<string, number> = {
    connect: ASSUMED.connectSeconds,
    disconnect: ASSUMED.disconnectSeconds,
    deliver: mode === "retry" ? ASSUMED.deliverSeconds : REPLAY_ASSUMED.deliverSeconds,
    resume: REPLAY_ASSUMED.resumeSeconds,
    acknowledge: REPLAY_ASSUMED.acknowledgeSeconds,
    expire: REPLAY_ASSUMED.expireSeconds,
  };
  return Object.entries(invocations).reduce((sum, [name, count]) => sum + (seconds[name] ?? 0) * count, 0);
}
