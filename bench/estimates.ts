import type { Workload } from "../cli/cost/workload";
import { billOf, estimatedUsd } from "./bill";
import type { Measured } from "./measure";
import { PROFILE } from "./scenarios";
import { ATTEMPTS_IN_AN_HOUR } from "./table";

/** What the command `cost` says of the same traffic as a row of the table. */
export interface Estimate {
  what: string;
  countedUsd: number;
  estimatedUsd: number;
}

/** The defaults of a relay, and the traffic of the table's profile. */
const workload: Workload = {
  delivery: "retry",
  ordering: "standard",
  receipts: false,
  rawClients: true,
  rawShare: 0,
  connectionsPerSession: 1,
  connectionsPerDay: 1,
  scopedShare: 0,
  sessionsPerScopedMessage: 1,
  messages: 0,
  messageKb: 1,
  connections: 0,
  connectionMinutes: PROFILE.connectionMinutes,
  heartbeatSeconds: 0,
  batchSize: 1,
  awayShare: 0,
  minutesAway: 60,
  maxAttempts: 66,
  backoff: { minSeconds: 2, maxSeconds: 120 },
  historyRetentionSeconds: 86_400,
  messagesPerPublish: 1,
  usersPerBatch: 1,
  messagesPerAck: PROFILE.messages,
  messagesPerReturn: PROFILE.messages,
  messagesPerRetention: PROFILE.messages,
  httpReads: 0,
};

export function estimatesOf({ counted: { retry, replay } }: Measured): Estimate[] {
  const estimates: Estimate[] = [];
  const add = (what: string, countedUsd: number, estimated: Partial<Workload>) =>
    estimates.push({ what, countedUsd, estimatedUsd: estimatedUsd({ ...workload, ...estimated }) });

  if (retry.delivered) {
    add("retry, delivered", billOf("retry", [["delivered", retry.delivered.usual.messages]]).usd, {});
  }
  if (retry.delivered && retry.failedAttempt) {
    const parts = [
      ["delivered", retry.delivered.usual.messages],
      ["failedAttempt", retry.failedAttempt, ATTEMPTS_IN_AN_HOUR - 1],
    ] as const;
    add("retry, held for an hour", billOf("retry", [[...parts[0]], [...parts[1]]]).usd, { awayShare: 1 });
  }
  const ofReplay = { delivery: "replay" } as const;
  if (replay.delivered) {
    add("replay, delivered", billOf("replay", [["messages", replay.delivered.usual.messages]]).usd, ofReplay);
  }
  if (replay.batch) {
    add("replay, delivered in batches of 10", billOf("replay", [["messages", replay.batch.usual.messages]]).usd, {
      ...ofReplay,
      // In a quick run, each of the ten users gets fewer messages.
      messagesPerAck: replay.batch.usual.messages.of / 10,
      messagesPerRetention: replay.batch.usual.messages.of / 10,
      batchSize: 10,
      usersPerBatch: 10,
      messagesPerPublish: 10,
    });
  }
  if (replay.held) {
    add("replay, held for an hour", billOf("replay", [["messages", replay.held.usual.messages]]).usd, {
      ...ofReplay,
      awayShare: 1,
    });
  }
  return estimates;
}
