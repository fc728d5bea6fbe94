import pLimit from "p-limit";
import { INDEX_SHARDS } from "../connections/connectionItems";
import { type Environment, text } from "../environment";
import {
  historyFromEnvironment,
  retentionMsFromEnvironment,
  waitingAfterMsFromEnvironment,
} from "../history/dynamoDbHistory";
import type { DueSegment, History } from "../history/history";
import { isObject } from "../isObject";
import { consoleLog, errorFields } from "../log";
import { METRICS, metricsFromEnvironment } from "../metrics";
import { deadLetterQueueFromEnvironment } from "../queue/queue";
import { receiptsFromEnvironment } from "../receipts/snsReceipts";
import { sessionId } from "../sessions/sessionKey";
import { timeLimit } from "../timeLimit";
import { type VisitDependencies, visitSession } from "./visitSession";

/** `now` and `log` are by default the clock and the console. */
export type HistorySweeperDependencies = Omit<Dependencies, "now" | "log"> & Partial<Pick<Dependencies, "now" | "log">>;

interface Dependencies extends VisitDependencies {
  history: VisitDependencies["history"] & Pick<History, "findDue">;
}

/** How the sessions that were due were handled. */
export interface HistorySweepResult {
  visited: number;
  /** There is more to report than one visit reports: visited again the next time. */
  unfinished: number;
  /** Not visited to the end because of a fault: visited again the next time. */
  failed: number;
  /** Messages reported as expired. */
  reported: number;
  /** Receipts `waiting`. */
  waiting: number;
  /** Sessions of which only the last number is kept. */
  sealed: number;
}

/** The part of Lambda's context that the handler uses. */
interface Invocation {
  getRemainingTimeInMillis(): number;
}

export type HistorySweeperHandler = (event: unknown, invocation: Invocation) => Promise<HistorySweepResult>;

/** Reserved at the end of the function's time, for the metrics and the answer. */
const ANSWERING_MS = 2_000;

/** Parallel sessions: with two reads at a time of each, below the SDK's 50 sockets. */
const MAX_PARALLEL = 16;

/**
 * Called every minute for each shard, as `{ "shard": 3 }`: visits the sessions of the shard that are due, the most overdue first.
 * Leaves the rest to the next invocation when time is up. Throws only if the index cannot be read.
 */
export function historySweeper(given: HistorySweeperDependencies): HistorySweeperHandler {
  const dependencies = { now: Date.now, log: consoleLog, ...given };
  const { history, metrics, log, now } = dependencies;

  return async function historySweeperHandler(event, invocation) {
    const shard = shardOf(event);
    const signal = timeLimit(invocation.getRemainingTimeInMillis() - ANSWERING_MS);
    const limit = pLimit(MAX_PARALLEL);
    const result: HistorySweepResult = { visited: 0, unfinished: 0, failed: 0, reported: 0, waiting: 0, sealed: 0 };

    /** One after the other, since each visit plans for the whole session. */
    const visitAll = async (ofSession: readonly DueSegment[]) => {
      for (const due of ofSession) {
        if (signal.aborted) return;
        try {
          const { outcome, reported, waiting, isSealed } = await visitSession(due, dependencies, signal);
          if (outcome !== "not-due") result[outcome] += 1;
          result.reported += reported;
          result.waiting += waiting;
          if (isSealed) result.sealed += 1;
        } catch (error) {
          if (signal.aborted) return;
          log.error("session not swept", { ...due.key, ...errorFields(error) });
          result.failed += 1;
          return;
        }
      }
    };

    const startedAtMs = now();
    let lagMs: number | undefined;
    let fault: unknown;
    try {
      for await (const page of history.findDue(shard, startedAtMs, signal)) {
        lagMs ??= startedAtMs - (page[0]?.dueAtMs ?? startedAtMs);
        await limit.map(bySession(page), visitAll);
      }
    } catch (error) {
      if (!signal.aborted) {
        // Lambda does not log the cause of an error that is thrown.
        log.error("shard not read", { shard, ...errorFields(error) });
        fault = error;
      }
    }

    // Also where nothing is due: a sweeper that is not called at all is missed by its alarm.
    if (lagMs !== undefined) metrics.add(METRICS.historySweepLag, lagMs);
    metrics.flush();
    const isIdle = !signal.aborted && Object.values(result).every((count) => count === 0);
    if (!isIdle) log.info("history swept", { shard, lagMs, ...result, outOfTime: signal.aborted });
    if (fault !== undefined) {
      throw new Error(`shard ${shard} of the index by due time could not be read`, { cause: fault });
    }
    return result;
  };
}

/** The history sweeper as the component deploys it. */
export function historySweeperFromEnvironment(environment: Environment): HistorySweeperHandler {
  // Without the variable, the history would query an index without a name.
  text(environment, "HISTORY_DUE_INDEX_NAME");
  return historySweeper({
    history: historyFromEnvironment(environment),
    retentionMs: retentionMsFromEnvironment(environment),
    waitingAfterMs: waitingAfterMsFromEnvironment(environment),
    deadLetters: deadLetterQueueFromEnvironment(environment),
    receipts: receiptsFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
  });
}

/** The input of each target of the rules that call the function. */
export interface HistorySweepEvent {
  shard: number;
}

function shardOf(event: unknown): string {
  const shard = INDEX_SHARDS.find((each) => isObject(event) && Number(each) === event.shard);
  if (shard !== undefined) return shard;
  const last = INDEX_SHARDS.length - 1;
  throw new Error(
    `the event: got ${JSON.stringify(event)}; allowed: { "shard": 0 } to { "shard": ${last} }. ` +
      "Fix: call the function as the relay's rules do",
  );
}

/** The due segments of each session, the most overdue first. */
function bySession(page: readonly DueSegment[]): DueSegment[][] {
  const sessions = new Map<string, DueSegment[]>();
  for (const due of page) {
    const id = sessionId(due.key);
    sessions.set(id, [...(sessions.get(id) ?? []), due]);
  }
  return [...sessions.values()];
}
