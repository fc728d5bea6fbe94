import { INCREMENTS_KB, increments } from "../cli/cost/assumed";
import { type LogBytes, platformBytes } from "./logLines";
import type { Recording, ServiceCall } from "./recorder";

/** `systemLogLevel` of each function. @default Lambda's own, INFO */
export type SystemLogLevels = Readonly<Record<string, string | undefined>>;

/** The recorded work of some functions for a number of messages or connections. */
export interface Tally {
  /** Number of messages or connections. */
  of: number;
  invocations: Record<string, number>;
  /** `deliver: PutItem history`, … */
  calls: Record<string, number>;
  sessionUnits: Units;
  historyUnits: Units;
  /** Frames to clients, in increments of 32 KB. */
  framesToClients: number;
  /** Requests of the backend to the topic. */
  publishRequests: number;
  /** Requests to the queue in increments of 64 KB, without those of SNS. */
  queueRequests: number;
  /** Bytes of logs that CloudWatch bills. */
  logBytes: { application: number; platform: number };
  /** The functions' own lines. */
  logLines: number;
  /** What the history's items cost to keep. @default not counted */
  storedGbMonths?: number;
}

interface Units {
  read: number;
  write: number;
}

export interface TallyOptions {
  of: number;
  publishRequests: number;
  /** The functions to count. */
  by: readonly string[];
  historyTableName?: string;
  levels?: SystemLogLevels;
}

/** The poller's calls, with and without messages. */
const polls = new Set(["ReceiveMessage", "GetQueueAttributes"]);

export function tallyOf(recording: Recording, options: TallyOptions): Tally {
  const { of, publishRequests, by, historyTableName, levels = {} } = options;
  const invocations = countedOf(recording.invocations, by);
  const logs = Object.values<LogBytes>(countedOf(recording.logs, by));
  const tally: Tally = {
    of,
    invocations,
    calls: {},
    sessionUnits: { read: 0, write: 0 },
    historyUnits: { read: 0, write: 0 },
    framesToClients: 0,
    publishRequests,
    queueRequests: 0,
    logBytes: {
      application: logs.reduce((sum, { bytes }) => sum + bytes, 0),
      platform: Object.entries(invocations).reduce(
        (sum, [name, count]) => sum + count * platformBytes(levels[name]),
        0,
      ),
    },
    logLines: logs.reduce((sum, { lines }) => sum + lines, 0),
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

function countedOf<T>(all: Readonly<Record<string, T>>, by: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => by.includes(name)));
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
export function perOne(tally: Tally): object {
  const { of, calls, invocations, sessionUnits, historyUnits, logBytes, logLines, publishRequests } = tally;
  const divided = (counts: object) =>
    Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, Number((Number(value) / of).toFixed(3))]));
  return {
    invocations: divided(invocations),
    calls: divided(calls),
    sessionUnits: divided(sessionUnits),
    historyUnits: divided(historyUnits),
    logBytes: divided(logBytes),
    ...divided({ publishRequests, logLines }),
  };
}
