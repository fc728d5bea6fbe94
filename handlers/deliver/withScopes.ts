import { errorFields, type Log } from "../log";
import { hasExpired, idsOf, type Message, type QueuedMessage, type ScopedMessage } from "../messages/message";
import { REASONS, stableReason } from "../messages/reasons";
import { METRICS, type Metrics } from "../metrics";
import type { Scope, SessionKey } from "../sessions/sessionKey";
import type { SessionMarkers } from "../sessions/sessionMarkers";
import { type Attempted, NOT_REACHED, type Outcome } from "./outcome";
import type { PartialDeliveries } from "./partialDeliveries";

export interface ScopeDependencies {
  /** The sessions that a message for a scope goes to. */
  scopes: Pick<SessionMarkers, "list">;
  partials: PartialDeliveries;
  metrics: Metrics;
  /** Epoch milliseconds. */
  now: () => number;
  log: Log;
}

/** Attempts a batch: the result has each message once, in the batch's order. */
type Attempt<M, T> = (messages: readonly M[], dependencies: T, signal: AbortSignal) => Promise<Attempted[]>;

/** Whether a message must not be dead-lettered, although it is not done for all sessions. */
export type IsTaken = (sessions: readonly Attempted[]) => boolean;

/** The most sessions that one message goes to: each costs a post, and in replay mode a write. */
export const MAX_SESSIONS = 50;

/** In retry mode: one connection has it. */
export const isTakenByOne: IsTaken = (sessions) =>
  sessions.some(({ outcome, isTaken }) => isTaken ?? outcome.kind === "delivered");

/** In replay mode: one session is done, and all the others have stored it, so that their clients get it later. */
export const isSafeForAll: IsTaken = (sessions) => {
  const has = ({ outcome, isTaken }: Attempted) => isTaken ?? isDone(outcome);
  return sessions.some(has) && sessions.every((each) => has(each) || each.cursor !== undefined);
};

/**
 * Attempts a batch in which some messages are for a scope. Each of these is attempted once for each session of its scope, and the
 * sessions' outcomes are combined. They come after the messages for one session: two attempts at a time would post to one
 * connection in parallel.
 */
export function withScopes<T>(
  attempt: Attempt<Message, T>,
  isTaken: IsTaken,
): Attempt<QueuedMessage, T & ScopeDependencies> {
  return async function attemptWithScopes(messages, dependencies, signal) {
    const single = messages.filter((message): message is Message => message.key !== undefined);
    const scoped = messages.filter((message): message is ScopedMessage => message.key === undefined);
    const attempted = single.length > 0 ? await attempt(single, dependencies, signal) : [];
    if (scoped.length === 0) return attempted;
    attempted.push(...(await attemptScoped(scoped, attempt, isTaken, dependencies, signal)));
    const byMessage = new Map(attempted.map((each) => [each.message, each]));
    return messages.map((message) => byMessage.get(message) ?? { message, outcome: NOT_REACHED });
  };
}

/** Never rejects: the messages for one session are attempted already. */
async function attemptScoped<T>(
  messages: readonly ScopedMessage[],
  attempt: Attempt<Message, T>,
  isTaken: IsTaken,
  dependencies: T & ScopeDependencies,
  signal: AbortSignal,
): Promise<Attempted[]> {
  try {
    const found = await sessionsOf(messages, dependencies, signal);
    const expanded = messages.map((message) => {
      const { keys = [], outcome } = found.get(scopeId(message.scope)) ?? { outcome: NOT_REACHED };
      return { message, outcome, derived: keys.map((key): Message => ({ ...message, key: { value: key } })) };
    });
    const derived = expanded.flatMap((each) => each.derived);
    const metrics = withoutStored(dependencies.metrics);
    const attempted = derived.length > 0 ? await attempt(derived, { ...dependencies, metrics }, signal) : [];
    const byMessage = new Map(attempted.map((each) => [each.message, each]));

    const results = expanded.map(async ({ message, outcome, derived }) => {
      if (outcome) return await unlessDone(message, outcome, dependencies, signal);
      const parts = derived.map((each) => byMessage.get(each) ?? { message: each, outcome: NOT_REACHED });
      const combined = combinedOf(message, parts, isTaken);
      logOpen(message, parts, dependencies);
      const { outcome: done } = combined;
      if (done.kind === "stored") dependencies.metrics.add(METRICS.stored, 1, stableReason(done.reason));
      return combined;
    });
    return await Promise.all(results);
  } catch (error) {
    dependencies.log.error("messages for a scope not handled", {
      messageIds: messages.map(({ messageId }) => messageId),
      sqsMessageIds: messages.map(({ sqsMessageId }) => sqsMessageId),
      ...errorFields(error),
    });
    return messages.map((message) => ({ message, outcome: { kind: "failed", reason: REASONS.internalError } }));
  }
}

/** The sessions of a scope, or the outcome of its messages if there are none to attempt. */
type Found = { keys: SessionKey[]; outcome?: undefined } | { keys?: undefined; outcome: NoAttempt };

type NoAttempt = Extract<Outcome, { kind: "failed" | "not-reached" | "undeliverable" }>;

/** By `scopeId`. */
async function sessionsOf(
  messages: readonly ScopedMessage[],
  { scopes, now, log }: ScopeDependencies,
  signal: AbortSignal,
): Promise<Map<string, Found>> {
  const distinct = new Map(messages.map(({ scope }) => [scopeId(scope), scope]));
  const found = [...distinct].map(async ([id, scope]): Promise<[string, Found]> => {
    if (signal.aborted) return [id, { outcome: NOT_REACHED }];
    try {
      const keys = await scopes.list(scope, Math.floor(now() / 1000), MAX_SESSIONS + 1, signal);
      if (keys.length === 0) return [id, { outcome: { kind: "failed", reason: REASONS.noSession } }];
      if (keys.length <= MAX_SESSIONS) return [id, { keys }];
      return [id, { outcome: { kind: "undeliverable", reason: REASONS.tooManySessions } }];
    } catch (error) {
      log.error("sessions of a scope not read", { ...scope, ...errorFields(error) });
      return [id, { outcome: failedUnless(signal) }];
    }
  });
  return new Map(await Promise.all(found));
}

/**
 * The outcome of a message that is attempted at no session. Where its scope has none, it is delivered if a connection took it at
 * an earlier attempt. Where its sessions are not known, others may still lack it.
 */
async function unlessDone(
  message: ScopedMessage,
  outcome: NoAttempt,
  { partials, now, log }: ScopeDependencies,
  signal: AbortSignal,
): Promise<Attempted> {
  if (outcome.kind === "not-reached") return { message, outcome };
  if (message.attempt > 1 && outcome.reason === REASONS.noSession) {
    try {
      const taken = await partials.read([message.sqsMessageId], signal);
      if (taken.has(message.sqsMessageId)) return { message, outcome: { kind: "delivered", connectionIds: [] } };
    } catch (error) {
      log.error("partial delivery not read", { ...idsOf(message), ...errorFields(error) });
      return { message, outcome: failedUnless(signal) };
    }
  }
  return {
    message,
    outcome: hasExpired(message, now()) ? { kind: "undeliverable", reason: REASONS.expired } : outcome,
  };
}

/** One outcome of a message's sessions. */
function combinedOf(message: ScopedMessage, parts: readonly Attempted[], isTaken: IsTaken): Attempted {
  const acceptedBy = parts.flatMap((part) => part.acceptedBy ?? []);
  const missedBy = parts.flatMap((part) => part.missedBy ?? []);
  const taken = isTaken(parts);
  return {
    message,
    outcome: outcomeOf(parts.map(({ outcome }) => outcome)),
    ...(taken && { isTaken: true as const }),
    ...(acceptedBy.length > 0 && {
      acceptedBy,
      acceptedAtMs: Math.max(...parts.map(({ acceptedAtMs = 0 }) => acceptedAtMs)),
    }),
    ...(missedBy.length > 0 && { missedBy }),
  };
}

function outcomeOf(outcomes: readonly Outcome[]): Outcome {
  const first = (kind: Outcome["kind"]) => outcomes.find((outcome) => outcome.kind === kind);
  const connectionIds = outcomes.flatMap((outcome) => (outcome.kind === "delivered" ? outcome.connectionIds : []));
  const open = first("failed") ?? first("not-reached") ?? first("undeliverable");
  if (open) return open;
  const delivered = first("delivered") && ({ kind: "delivered", connectionIds } as const);
  return delivered ?? first("stored") ?? first("duplicate") ?? NOT_REACHED;
}

/** `Stored` counts a message once, not for each of its sessions. */
function withoutStored(metrics: Metrics): Metrics {
  return {
    add: (name, value, reason) => {
      if (name !== METRICS.stored) metrics.add(name, value, reason);
    },
    flush: () => metrics.flush(),
  };
}

function logOpen(message: ScopedMessage, parts: readonly Attempted[], { log }: ScopeDependencies): void {
  const open = parts.flatMap(({ message: { key }, outcome }) =>
    "reason" in outcome && !isDone(outcome) ? [`${key?.value?.context}: ${outcome.reason}`] : [],
  );
  if (open.length > 0)
    log.info("not done for all sessions of a scope", { ...idsOf(message), sessions: parts.length, open });
}

function isDone({ kind }: Outcome): boolean {
  return kind === "delivered" || kind === "stored" || kind === "duplicate";
}

function failedUnless({ aborted }: AbortSignal): NoAttempt {
  return aborted ? NOT_REACHED : { kind: "failed", reason: REASONS.sessionStoreUnavailable };
}

function scopeId({ callerId, context }: Scope): string {
  return JSON.stringify([callerId, context]);
}
