import type { PostOutcome } from "../../../handlers/connections/connectionsClient";
import type { Entry, History } from "../../../handlers/history/history";
import { flush } from "../../../handlers/raw/flush";
import type { RawOutcomes } from "../../../handlers/raw/postToRaw";
import { rawPoster } from "../../../handlers/raw/rawPoster";
import { NO_RECEIPTS } from "../../../handlers/receipts/receipts";
import type { Session, SessionRow } from "../../../handlers/sessions/sessionItems";
import { sessionId } from "../../../handlers/sessions/sessionKey";
import { liveConnections, withConnection, withoutConnection } from "../../../handlers/sessions/sessionRow";
import { MemoryConnections, MemoryQueue, MemorySessions, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { sqsEvent, sqsRecord } from "../../support/events";
import { Interleaving } from "../../support/interleaving";
import { MemoryHistory } from "../../support/memoryHistory";
import { key, retentionMs, segmentOf } from "../history/segments";

/** What goes wrong in a run, each of these with its chance at each call. */
export interface Faults {
  /** The invocation ends. */
  crash: number;
  /** The call fails; half of the times, it has taken effect. */
  failure: number;
  /** The gateway accepts no message now. */
  throttled: number;
  /** A call takes up to this long. */
  slowMs: number;
  /** How many connections may be open at a time. */
  connections: number;
}

/** A change that the model must notice. */
export type RawMistake = (history: MemoryHistory) => Partial<Pick<History, "leaseRaw" | "releaseRaw">>;

const MESSAGES = 12;
const MAX_ATTEMPTS = 6;

/** A session whose raw clients come and go while messages are published: random, but the same for the same seed. */
export class RawModel {
  private readonly interleaving: Interleaving;
  private readonly history = new MemoryHistory();
  private readonly sessions = new MemorySessions();
  private readonly deadLetters = new MemoryQueue();
  /** Connections that are open at the gateway. */
  private readonly open = new Set<string>();
  /** What the gateway has accepted: the messages' ids by connection, in order, each with the invocation that posted it. */
  private readonly accepted = new Map<string, { id: string; invocation: object }[]>();
  /** Invocations in which a connection did not accept a message: another invocation posts it again, and what comes after it. */
  private readonly refused = new Set<object>();
  /** Messages that were retried for some of the connections: another invocation may have posted them to these meanwhile. */
  private readonly partial = new Set<string>();
  private readonly gateway = new MemoryConnections();
  private readonly published = new Map<string, Entry>();
  /** Whether an invocation has taken the place of another one that had not given it back. */
  hasLeaseEnded = false;
  private isCalm = false;
  private readonly slow: { chance: number; ms: number };
  private names = 0;

  constructor(
    seed: number,
    private readonly faults: Faults,
    private readonly mistake: RawMistake = () => ({}),
  ) {
    this.slow = { chance: 0.1, ms: faults.slowMs };
    this.interleaving = new Interleaving(seed, this.slow);
  }

  /** What is wrong; undefined if nothing is. */
  async run(): Promise<string | undefined> {
    const { interleaving } = this;
    interleaving.start(() => this.publishAll());
    interleaving.start(() => this.comeAndGo());
    await interleaving.finish();

    this.isCalm = true;
    this.slow.chance = 0;
    for (const connectionId of this.open) this.leave(connectionId, true);
    this.sessions.sessionRows.clear();
    // No lease is left.
    interleaving.now += 60_000;
    this.connect();
    await interleaving.finish();
    return this.lost() ?? this.duplicate();
  }

  private lost(): string | undefined {
    const got = new Set([...this.accepted.values()].flat().map(({ id }) => id));
    const reported = new Set(this.deadLetters.deadLetters.map(({ sqsMessageId }) => sqsMessageId));
    const lost = [...this.published.keys()].filter((id) => !got.has(id) && !reported.has(id));
    return lost.length > 0 ? `no connection got ${lost.join()}` : undefined;
  }

  private duplicate(): string | undefined {
    if (this.faults.crash + this.faults.failure > 0 || this.hasLeaseEnded) return undefined;
    for (const [connectionId, posts] of this.accepted) {
      const twice = posts.find(
        ({ id }, index) =>
          !this.partial.has(id) &&
          posts.slice(0, index).some((before) => before.id === id && !this.refused.has(before.invocation)),
      );
      if (twice) return `${connectionId} got ${twice.id} twice`;
    }
    return undefined;
  }

  private async publishAll(): Promise<void> {
    for (let seq = 1; seq <= MESSAGES; seq++) {
      await this.wait(this.interleaving.random() * 5_000);
      const nowMs = this.interleaving.now;
      const expires = this.interleaving.random() < 0.2 && { expiresAtMs: nowMs + this.interleaving.random() * 60_000 };
      const segment = segmentOf(seq, { storedAtMs: nowMs, ...expires });
      await this.history.put(key, segment);
      const entry = this.history.entries(key).find((each) => each.seq === seq) as Entry;
      this.published.set(entry.messageId, entry);
      this.interleaving.start(() => this.deliver(entry));
    }
  }

  /** As `deliver` does: again and again until no connection is left that may take it. */
  private async deliver(entry: Entry): Promise<void> {
    const takenBy = new Set<string>();
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      if (takenBy.size > 0) this.partial.add(entry.messageId);
      const outcomes = await this.invocation((dependencies) => this.attempt(entry, attempt, takenBy, dependencies));
      if (outcomes && outcomes.every((each) => each.kind !== "failed")) return;
      await this.wait(1_000 * attempt);
    }
  }

  private async attempt(
    entry: Entry,
    attempt: number,
    takenBy: Set<string>,
    dependencies: ReturnType<RawModel["dependencies"]>,
  ): Promise<RawOutcomes> {
    const row = await dependencies.sessions.read(key);
    if (!row) return [];
    const post = {
      row,
      connections: liveConnections(row),
      entries: [{ entry, takenBy: takenBy.size > 0 ? new Set(takenBy) : undefined }],
      presentEpoch: entry.epoch,
      isLast: attempt === MAX_ATTEMPTS,
      readTakenBy: () => Promise.resolve(new Map<number, ReadonlySet<string>>()),
      onPartial: (_: Entry, ids: readonly string[]) => Promise.resolve(void ids.forEach((id) => takenBy.add(id))),
    };
    const outcomes = await rawPoster(dependencies)(post, new AbortController().signal);
    const each = [...outcomes].flatMap(([connectionId, [outcome]]) => (outcome ? [{ connectionId, outcome }] : []));
    if (each.some(({ outcome }) => outcome.kind === "failed")) {
      for (const { connectionId, outcome } of each) if (outcome.kind === "accepted") takenBy.add(connectionId);
    }
    return each.map(({ outcome }) => outcome);
  }

  private async comeAndGo(): Promise<void> {
    for (let step = 0; step < 10; step++) {
      await this.wait(this.interleaving.random() * 10_000);
      const [oldest] = this.open;
      const isFull = this.open.size >= this.faults.connections;
      if (oldest !== undefined && (isFull || this.interleaving.random() < 0.4)) {
        // Its `$disconnect` may come late, or never.
        this.leave(oldest, this.faults.connections === 1 || this.interleaving.random() < 0.7);
      } else this.connect();
    }
  }

  private connect(): void {
    const connectionId = `c${++this.names}`;
    const connectedAt = this.interleaving.now;
    const session: Session = { ...key, connectionId, connectedAt, expirationDate: connectedAt / 1000 + 9_000 };
    const next = withConnection(this.sessions.sessionRows.get(sessionId(key)), session, "all");
    if (typeof next === "string") return;
    this.sessions.sessionRows.set(sessionId(key), next.row);
    this.open.add(connectionId);
    this.interleaving.start(() => this.flush(connectionId));
  }

  private leave(connectionId: string, isTold: boolean): void {
    this.open.delete(connectionId);
    const row = this.sessions.sessionRows.get(sessionId(key));
    if (!row || !isTold) return;
    const rest: SessionRow | undefined = withoutConnection(row, connectionId);
    if (rest) this.sessions.sessionRows.set(sessionId(key), rest);
    else this.sessions.sessionRows.delete(sessionId(key));
  }

  private async flush(connectionId: string): Promise<void> {
    for (let attempt = 1; attempt <= 10; attempt++) {
      await this.wait(1_000);
      const record = sqsRecord({ body: JSON.stringify({ ...key, connectionId }), attempt });
      const answer = await this.invocation((dependencies) =>
        flush({ ...dependencies, queue: new MemoryQueue() })(sqsEvent(record), {
          getRemainingTimeInMillis: () => 60_000,
        }),
      );
      if (answer?.batchItemFailures.length === 0) return;
    }
  }

  /** Undefined if it has crashed. */
  private async invocation<T>(
    work: (dependencies: ReturnType<RawModel["dependencies"]>) => Promise<T>,
  ): Promise<T | undefined> {
    let crash: () => void = () => undefined;
    const crashed = new Promise<undefined>((resolve) => (crash = () => resolve(undefined)));
    // A fault that it does not handle ends it, too.
    return await Promise.race([work(this.dependencies(crash)).catch(() => undefined), crashed]);
  }

  /** Each call takes time, and may fail or end the invocation. */
  private dependencies(crash: () => void) {
    const { interleaving, history, sessions, gateway, faults } = this;
    const invocation = {};
    const happens = (chance: number) => !this.isCalm && interleaving.random() < chance;
    const step = async <T>(call: () => Promise<T>): Promise<T> => {
      await this.turnOrCrash(crash, happens);
      if (happens(faults.failure / 2)) throw new Error("the call fails");
      const result = await call();
      await this.turnOrCrash(crash, happens);
      if (happens(faults.failure / 2)) throw new Error("the answer is lost");
      return result;
    };
    const through = <T extends object>(target: T, changed: Partial<T> = {}): T =>
      new Proxy(target, {
        get: (_, name) => {
          const own = changed[name as keyof T] ?? target[name as keyof T];
          if (typeof own !== "function") return own;
          return (...args: unknown[]) =>
            step(() => (own as (...given: unknown[]) => Promise<unknown>).apply(target, args));
        },
      });
    const post = async (connectionId: string, body: string): Promise<PostOutcome> => {
      await this.turnOrCrash(crash, happens);
      const isGone = !this.open.has(connectionId);
      if (isGone || happens(faults.throttled)) {
        this.refused.add(invocation);
        return { result: isGone ? "gone" : "throttled" };
      }
      const posts = this.accepted.get(connectionId) ?? [];
      this.accepted.set(connectionId, [...posts, { id: body.replace("body of ", ""), invocation }]);
      await this.turnOrCrash(crash, happens);
      return { result: happens(faults.failure) ? "network-error" : "delivered" };
    };
    return {
      sessions: through(sessions),
      history: through<History>(history, { leaseRaw: this.watchedLease(), ...this.mistake(history) }),
      connections: through(gateway, { post, isGone: (id) => Promise.resolve(!this.open.has(id)) }),
      deadLetters: this.deadLetters,
      receipts: NO_RECEIPTS,
      metrics: new RecordedMetrics(),
      log: new RecordedLog(),
      retentionMs,
      now: () => interleaving.now,
      pause: (ms: number) => this.wait(ms),
      newOwner: () => `owner ${++this.names}`,
    };
  }

  private watchedLease(): History["leaseRaw"] {
    return async (of, lease, nowMs) => {
      const { lease: before } = this.history.log(of);
      const leased = await this.history.leaseRaw(of, lease, nowMs);
      if (leased !== "busy" && before) this.hasLeaseEnded = true;
      return leased;
    };
  }

  /** The time passes turn by turn: at once, it would pass for everyone. */
  private async wait(ms: number): Promise<void> {
    const due = this.interleaving.now + ms;
    while (this.interleaving.now < due) await this.interleaving.turn();
  }

  private async turnOrCrash(crash: () => void, happens: (chance: number) => boolean): Promise<void> {
    await this.interleaving.turn();
    if (!happens(this.faults.crash)) return;
    crash();
    await new Promise(() => undefined);
  }
}
