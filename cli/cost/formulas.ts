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
const perSession = "1 / connections per session";
const row = `KB of the session's row (${ASSUMED.rowKb} and ${ASSUMED.rowKbPerConnection} for each connection)`;
const writeUnits = `${ASSUMED.lookupWriteUnitsPerConnection} + ceil(${row}) x (3 - ${perSession})`;
/** Scopes: a message's sessions, on average. */
const sessions = "sessions per message";

export const FORMULAS: Record<Workload["delivery"], Formulas> = {
  retry: {
    deliveries:
      `(live messages x ${sessions} x connections per session + messages that waited) x ceil(KB / ${delivery}); ` +
      `${sessions}: 1 + scoped share x (sessions per scoped message - 1)`,
    queueRequests: `(messages + dead letters) x ceil(KB / ${queueRequest}) + ${perBatch}`,
    invocations: "attempts / batch size + connections opened x 2",
    gbSeconds: `${memoryGb} GB x (batches x ${ASSUMED.deliverSeconds} s + ${opened})`,
    writeUnits: `connections opened x (${writeUnits})`,
    readUnits:
      `attempts (live ones x ${sessions}) + live scoped messages x ceil(KB of the rows / ${INCREMENTS_KB.read}) + ` +
      `connections opened x (${ASSUMED.readUnitsPerConnection + 1} - ${perSession})`,
    logGb: `invocations x ${logKbPerInvocation} KB`,
  },
  replay: {
    deliveries:
      `(live segments + returns) x connections per session x ceil(KB of their envelopes / ${delivery}) + ` +
      `other resumes; an envelope has ${REPLAY_ASSUMED.envelopeKb} KB besides the message; to raw clients: messages x ceil(KB / ${delivery})`,
    queueRequests: `messages x ceil(KB / ${queueRequest}) + ${perBatch}`,
    invocations: `messages / batch size + connections opened x 2 + resumes + flushes + acks + HTTP reads + ${REPLAY_ASSUMED.sweepsPerMinute} per minute`,
    gbSeconds:
      `${memoryGb} GB x (batches x ${REPLAY_ASSUMED.deliverSeconds} s + ${opened} + ` +
      `resumes x ${REPLAY_ASSUMED.resumeSeconds} s + flushes x ${REPLAY_ASSUMED.flushSeconds} s + acks x ${REPLAY_ASSUMED.acknowledgeSeconds} s + ` +
      `HTTP reads x ${REPLAY_ASSUMED.httpReadSeconds} s + ` +
      `sweeps x ${REPLAY_ASSUMED.expireSeconds} s)`,
    writeUnits: `connections opened x (${writeUnits} + a marker: 1 / connections of a session in a day)`,
    readUnits:
      `segments + scoped messages x ceil(KB of the markers / ${INCREMENTS_KB.read}) + connections opened x ` +
      `(${ASSUMED.readUnitsPerConnection + REPLAY_ASSUMED.markerReadUnitsPerConnection + 1} - ${perSession}) + ` +
      `resumes x ${REPLAY_ASSUMED.sessionReadsPerResume} + flushes x ${REPLAY_ASSUMED.sessionReadsPerFlush} + acks + HTTP reads`,
    logGb: `invocations, but those of the sweeper, x ${logKbPerInvocation} KB`,
  },
};

const { read, write } = INCREMENTS_KB;

/** Formulas of the counts that only replay mode has. A segment is what one batch has for one session. */
export const REPLAY_FORMULAS = {
  clientFrames:
    "resumes (one per connection opened, at least one per return) + acks (live messages x sessions per message x connections " +
    "per session / messages per ack + returns); none of raw clients",
  historyWriteUnits:
    `batches x users per batch x sessions per message x ceil(KB of a segment / ${write}) + acks / connections per session + ` +
    `leases (live segments and flushes of raw clients) x ${REPLAY_ASSUMED.writeUnitsPerLease} + ` +
    `visits (messages / messages per retention, or per waitingAfterSeconds) x ${REPLAY_ASSUMED.writeUnitsPerVisit}`,
  historyReadUnits:
    `segments x ceil(KB / ${read}) + resumes x ${REPLAY_ASSUMED.historyReadsPerResume} + ` +
    `flushes x ${REPLAY_ASSUMED.historyReadsPerFlush} + further pages + HTTP reads x (${REPLAY_ASSUMED.historyReadsPerHttpRead} and those of a page) + acks x ${REPLAY_ASSUMED.historyReadsPerAck} + visits x ${REPLAY_ASSUMED.readUnitsPerVisit} + ` +
    `${REPLAY_ASSUMED.sweepsPerMinute} x ${MINUTES_A_MONTH} minutes x 0.5`,
  historyGbMonths: `segments x KB x (retention + the larger of 3 days and a quarter of it) / ${MINUTES_A_MONTH} minutes`,
  receipts:
    "acks / connections per session + leases with posts + returns after waitingAfterSeconds (each publishes ten receipts in a " +
    "request) + expired messages",
  httpRequests: `HTTP reads x ceil(KB of a page, with messages per return / ${INCREMENTS_KB.httpRequest})`,
  flushRequests: `flushes (one per raw connection opened, at least one per return) x ${REPLAY_ASSUMED.queueRequestsPerFlush}`,
} as const;
