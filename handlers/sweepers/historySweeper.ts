import pLimit from "p-limit";
import { type Environment, text } from "../environment";
import { historyFromEnvironment, retentionMsFromEnvironment } from "../history/dynamoDbHistory";
import type { EntryKey, History } from "../history/history";
import { consoleLog, errorFields } from "../log";
import { metricsFromEnvironment } from "../metrics";
import { deadLetterQueueFromEnvironment } from "../queue/queue";
import { receiptsFromEnvironment } from "../receipts/snsReceipts";
import { sessionId, type SessionKey } from "../sessions/sessionKey";
import { timeLimit } from "../timeLimit";
import {
  type SweepSessionHistoryDependencies,
  sweepSessionHistory,
  NOTHING_SWEPT,
  type SweptEntries,
} from "./sweepSessionHistory";
import { sweepShards } from "./sweepShards";

/** `now` and `log` are by default the clock and the console. */
export type HistorySweeperDependencies = Omit<Dependencies, "now" | "log"> & Partial<Pick<Dependencies, "now" | "log">>;

interface Dependencies extends SweepSessionHistoryDependencies {
  history: SweepSessionHistoryDependencies["history"] & Pick<History, "findDue">;
}

/** How the due entries were handled. */
export interface HistorySweepResult extends SweptEntries {
  /** Sessions that a fault has left unfinished: retried the next time. */
  failed: number;
}

/** The part of Lambda's context that the handler uses. */
interface Invocation {
  getRemainingTimeInMillis(): number;
}

export type HistorySweeperHandler = (event: unknown, invocation: Invocation) => Promise<HistorySweepResult>;

/** Reserved at the end of the function's time, for the metrics and the answer. */
const ANSWERING_MS = 2_000;

/** Parallel sessions: with the deletions of each, below the SDK's 50 sockets. */
const MAX_PARALLEL = 8;

/**
 * Called every minute: reports the messages that no client acknowledged in time, and deletes those older than the retention.
 * Leaves the rest to the next invocation when time is up. Throws only if a part of the index cannot be read.
 */
export function historySweeper(given: HistorySweeperDependencies): HistorySweeperHandler {
  const dependencies = { now: Date.now, log: consoleLog, ...given };
  const { history, metrics, log, now } = dependencies;

  return async function historySweeperHandler(_event, invocation) {
    const signal = timeLimit(invocation.getRemainingTimeInMillis() - ANSWERING_MS);
    const limit = pLimit(MAX_PARALLEL);
    const total: HistorySweepResult = { ...NOTHING_SWEPT, failed: 0 };

    const sweepSession = async ({ key, seqs }: DueOfSession) => {
      if (signal.aborted) return;
      try {
        const swept = await sweepSessionHistory(key, seqs, dependencies, signal);
        for (const name of ["reported", "deleted", "stripped", "postponed"] as const) total[name] += swept[name];
      } catch (error) {
        if (signal.aborted) return;
        log.error("session not swept", { ...key, ...errorFields(error) });
        total.failed += 1;
      }
    };
    const unread = await sweepShards(
      (shard) => history.findDue(shard, now(), signal),
      (page) => limit.map(dueBySession(page), sweepSession),
      log,
      signal,
    );

    metrics.flush();
    log.info("history swept", { ...total, outOfTime: signal.aborted });
    if (unread.length > 0) throw new Error(`the index by expiry could not be read: shards ${unread.join(", ")}`);
    return total;
  };
}

/** The history sweeper as the component deploys it. */
export function historySweeperFromEnvironment(environment: Environment): HistorySweeperHandler {
  // Without the variable, the history would query an index without a name.
  text(environment, "HISTORY_DUE_INDEX_NAME");
  return historySweeper({
    history: historyFromEnvironment(environment),
    retentionMs: retentionMsFromEnvironment(environment),
    deadLetters: deadLetterQueueFromEnvironment(environment),
    receipts: receiptsFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
  });
}

interface DueOfSession {
  key: SessionKey;
  seqs: number[];
}

/** Each session's numbers, ascending. */
function dueBySession(due: readonly EntryKey[]): DueOfSession[] {
  const sessions = new Map<string, DueOfSession>();
  for (const { key, seq } of due) {
    const session = sessions.get(sessionId(key)) ?? { key, seqs: [] };
    session.seqs.push(seq);
    sessions.set(sessionId(key), session);
  }
  for (const { seqs } of sessions.values()) seqs.sort((a, b) => a - b);
  return [...sessions.values()];
}
