import { ASSUMED, INCREMENTS_KB, MINUTES_A_MONTH, REPLAY_ASSUMED } from "./assumed";
import type { Workload } from "./workload";

/** Formulas of the counts that differ between the modes. */
export interface Formulas {
  deliveries: string;
  queueRequests: string;
  invocations: string;
  gbSeconds: string;
  writeUnits: string;
  readUnits: string;
  logGb: string;
}

const { delivery, queueRequest } = INCREMENTS_KB;
const { memoryGb, connectSeconds, disconnectSeconds, logKbPerInvocation, logKbPerAttempt } = ASSUMED;
const perBatch = `batches x (1 + ceil(KB of a batch / ${queueRequest}))`;
const opened = `opened x ${connectSeconds} s + opened x ${disconnectSeconds} s`;

export const FORMULAS: Record<Workload["delivery"], Formulas> = {
  retry: {
    deliveries: `delivered messages x ceil(KB / ${delivery})`,
    queueRequests: `(messages + dead letters) x ceil(KB / ${queueRequest}) + ${perBatch}`,
    invocations: "attempts / batch size + connections opened x 2",
    gbSeconds: `${memoryGb} GB x (batches x ${ASSUMED.deliverSeconds} s + ${opened})`,
    writeUnits: `connections opened x ${ASSUMED.writeUnitsPerConnection}`,
    readUnits: `attempts + connections opened x ${ASSUMED.readUnitsPerConnection}`,
    logGb: `invocations x ${logKbPerInvocation} KB + attempts x ${logKbPerAttempt} KB`,
  },
  replay: {
    deliveries:
      `live messages x ceil(KB of an envelope / ${delivery}) + returns x ceil(KB of their envelopes / ${delivery}) + ` +
      `other resumes; an envelope has ${REPLAY_ASSUMED.envelopeKb} KB besides the message`,
    queueRequests: `messages x ceil(KB / ${queueRequest}) + ${perBatch}`,
    invocations: "messages / batch size + connections opened x 2 + resumes + acks + one per minute",
    gbSeconds:
      `${memoryGb} GB x (batches x ${REPLAY_ASSUMED.deliverSeconds} s + ${opened} + ` +
      `resumes x ${REPLAY_ASSUMED.resumeSeconds} s + acks x ${REPLAY_ASSUMED.acknowledgeSeconds} s + ` +
      `minutes x ${REPLAY_ASSUMED.expireSeconds} s)`,
    writeUnits: `connections opened x ${REPLAY_ASSUMED.writeUnitsPerConnection}`,
    readUnits: `messages + connections opened x ${ASSUMED.readUnitsPerConnection} + resumes x 2 + acks`,
    logGb: `invocations x ${logKbPerInvocation} KB + messages x ${logKbPerAttempt} KB`,
  },
};

const entry = `ceil(KB of an entry / ${INCREMENTS_KB.read})`;

/** Formulas of the counts that only replay mode has. An entry has about 0.3 KB besides its message. */
export const REPLAY_FORMULAS = {
  clientFrames:
    "resumes (one per connection opened, at least one per return) + acks (live messages / messages per ack + returns)",
  historyWriteUnits: `messages x (1 for the claim + 2 x (ceil(KB of an entry / ${INCREMENTS_KB.write}) + 1 for the index)), stored and deleted, + acks`,
  historyReadUnits:
    `messages x (${entry} + ${REPLAY_ASSUMED.readsPerDeletion} when deleted) + ` +
    `resumes x (2 x ${entry} + ${REPLAY_ASSUMED.smallReadsPerResume}) + pages + acks x (1 + ${entry}) + ` +
    `${REPLAY_ASSUMED.expiryQueriesPerMinute} x ${MINUTES_A_MONTH} minutes x 0.5`,
  historyGbMonths: `messages x KB of an entry, its claim and its line in the index x retention / ${MINUTES_A_MONTH} minutes`,
  receipts: "acks (a publish of ten receipts is one request) + expired messages",
} as const;
