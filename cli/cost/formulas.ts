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
const { memoryGb, connectSeconds, disconnectSeconds, logKbPerInvocation } = ASSUMED;
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
    logGb: `invocations x ${logKbPerInvocation} KB`,
  },
  replay: {
    deliveries:
      `live segments x ceil(KB of their envelopes / ${delivery}) + returns x ceil(KB of their envelopes / ${delivery}) + ` +
      `other resumes; an envelope has ${REPLAY_ASSUMED.envelopeKb} KB besides the message`,
    queueRequests: `messages x ceil(KB / ${queueRequest}) + ${perBatch}`,
    invocations: `messages / batch size + connections opened x 2 + resumes + acks + ${REPLAY_ASSUMED.sweepsPerMinute} per minute`,
    gbSeconds:
      `${memoryGb} GB x (batches x ${REPLAY_ASSUMED.deliverSeconds} s + ${opened} + ` +
      `resumes x ${REPLAY_ASSUMED.resumeSeconds} s + acks x ${REPLAY_ASSUMED.acknowledgeSeconds} s + ` +
      `sweeps x ${REPLAY_ASSUMED.expireSeconds} s)`,
    writeUnits: `connections opened x ${ASSUMED.writeUnitsPerConnection}`,
    readUnits:
      `segments + connections opened x ${ASSUMED.readUnitsPerConnection} + ` +
      `resumes x ${REPLAY_ASSUMED.sessionReadsPerResume} + acks`,
    logGb: `invocations, but those of the sweeper, x ${logKbPerInvocation} KB`,
  },
};

const { read, write } = INCREMENTS_KB;

/** Formulas of the counts that only replay mode has. A segment is what one batch has for one user. */
export const REPLAY_FORMULAS = {
  clientFrames:
    "resumes (one per connection opened, at least one per return) + acks (live messages / messages per ack + returns)",
  historyWriteUnits:
    `batches x users per batch x ceil(KB of a segment / ${write}) + acks + ` +
    `visits (messages / messages per retention) x ${REPLAY_ASSUMED.writeUnitsPerVisit}`,
  historyReadUnits:
    `segments x ceil(KB / ${read}) + resumes x ${REPLAY_ASSUMED.historyReadsPerResume} + ` +
    `further pages + acks x ${REPLAY_ASSUMED.historyReadsPerAck} + visits x ${REPLAY_ASSUMED.readUnitsPerVisit} + ` +
    `${REPLAY_ASSUMED.sweepsPerMinute} x ${MINUTES_A_MONTH} minutes x 0.5`,
  historyGbMonths: `segments x KB x (retention + the larger of 3 days and a quarter of it) / ${MINUTES_A_MONTH} minutes`,
  receipts: "acks (a publish of ten receipts is one request) + expired messages",
} as const;
