import { storeInOrder } from "../../../handlers/deliver/storeInOrder";
import type { Outcome } from "../../../handlers/deliver/outcome";
import type { History, Segment } from "../../../handlers/history/history";
import { KnownSessions } from "../../../handlers/history/knownIds";
import * as recentIds from "../../../handlers/history/recentIds";
import { endMs, WORKER_LIFE_MS } from "../../../handlers/history/retention";
import { isSealed, lastSeqOf } from "../../../handlers/history/segment";
import { type Message, messageOf } from "../../../handlers/messages/message";
import { NO_RECEIPTS } from "../../../handlers/receipts/receipts";
import { visitSession } from "../../../handlers/sweepers/visitSession";
import { RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { sqsRecord } from "../../support/events";
import { Interleaving } from "../../support/interleaving";
import { MemoryHistory } from "../../support/memoryHistory";
import { key } from "./segments";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const RETENTION_MS = HOUR_MS;
/** The queue's attempts are over by then: shorter than the shortest retention. */
const RETRY_WINDOW_MS = 0.4 * HOUR_MS;
const MAX_SKEW_MS = 5_000;
const PUBLICATIONS = 40;

/** Something that is got wrong, to see that it would be noticed. */
export interface LogMistake {
  /** Changes what the workers call. */
  alter?: (history: History, log: MemoryHistory, retentionMs: number) => Partial<History>;
  /** Changes a message before it is stored. */
  message?: (message: Message) => Message;
  /** Puts something else in the place of a part of the code; what it returns puts it back. */
  install?: () => () => void;
}

/** One copy of a message in the queue. */
interface Copy {
  /** The message that it is a copy of. */
  of: Publication;
  sqsId: string;
  sentAtMs: number;
  dueAtMs: number;
  attempt: number;
  originalMessageId?: string;
}

interface Publication {
  name: string;
  /** Whether its publisher set `messageId`. */
  hasOwnId: boolean;
  idempotencyKey?: string;
  expiresAtMs?: number;
}

/**
 * One session's log: workers that store batches, each call of them being a step that may come at any time and may fail
 * before or after it has done its work; copies that come at once and late, by the queue, the publisher and the operator; a
 * visit of the sweeper; and a table that deletes what is past its TTL, in any order.
 */
export class LogModel {
  private readonly steps: Interleaving;
  private readonly history: MemoryHistory;
  private readonly queue: Copy[] = [];
  /** By epoch and number. */
  private readonly used = new Map<string, Publication>();
  private readonly puts = new Map<Publication, number>();
  private readonly keys = new Map<string, { publication: Publication; atMs: number }>();
  private retentionMs = RETENTION_MS;
  /** As by a setting that half of the relays have. */
  private readonly waitingAfterMs: number | undefined;
  private published = 0;
  private sqsIds = 0;
  private epochs = 0;
  private working = 0;
  private isSweeperDown = false;
  /** The environments that are not busy. */
  private readonly environments: KnownSessions[] = [];
  private violation: string | undefined;

  constructor(
    seed: number,
    private readonly mistake: LogMistake = {},
  ) {
    this.steps = new Interleaving(seed, { chance: 0.05, ms: 3_000 });
    this.history = new MemoryHistory(1 + Math.floor(this.steps.random() * 4));
    this.waitingAfterMs = seed % 2 === 0 ? undefined : HOUR_MS / 12;
  }

  /** What was violated first; undefined if nothing was. */
  async run(): Promise<string | undefined> {
    const uninstall = [weakHash(this.steps.random() < 0.5 ? 8 : 2 ** 32), this.mistake.install?.()];
    this.steps.start(() => this.world());
    try {
      await this.steps.finish();
      return this.violation;
    } finally {
      for (const each of uninstall.reverse()) each?.();
    }
  }

  /** Publishes, lets time pass, and starts whatever is due. */
  private async world(): Promise<void> {
    const { steps, queue } = this;
    const chance = (probability: number) => steps.random() < probability;
    while (!this.violation && (this.published < PUBLICATIONS || queue.length > 0 || this.working > 0)) {
      await steps.turn();
      if (this.published < PUBLICATIONS && chance(0.5)) this.publish();
      for (const copy of [...queue]) if (steps.now - copy.sentAtMs > RETRY_WINDOW_MS) this.deadLetter(copy);
      const ready = queue.filter(({ dueAtMs }) => dueAtMs <= steps.now);
      if (ready.length > 0 && this.working < 6 && chance(0.6)) {
        const batch = ready.slice(0, 1 + Math.floor(steps.random() * 4));
        for (const copy of batch) queue.splice(queue.indexOf(copy), 1);
        // Now and then, two workers get the same messages.
        for (let i = chance(0.1) ? 2 : 1; i > 0; i--) this.start(() => this.deliver(batch));
      }
      if (!this.isSweeperDown) {
        for (const { first, isMarked, dueAtMs = Infinity } of this.history.segments(key)) {
          if (isMarked && dueAtMs <= steps.now && chance(0.2)) this.start(() => this.visit(first));
        }
      }
      const deletable = this.history.segments(key).filter(({ ttlMs = Infinity }) => ttlMs <= steps.now);
      if (deletable.length > 0 && chance(0.4)) this.history.log(key).segments.delete(this.any(deletable).first);
      if (this.working === 0 && chance(0.3)) this.pass();
      // A deployment does not fall between two calls of one append, which knows the retention of its time.
      if (this.working === 0 && chance(0.05)) {
        this.retentionMs = this.any([RETENTION_MS, RETENTION_MS / 2, 3 * RETENTION_MS]);
      }
      this.checkHoles();
    }
  }

  /** Nothing happens for a while, or for days; the sweeper may be down meanwhile. */
  private pass(): void {
    const { steps } = this;
    const kind = steps.random();
    const ms = kind < 0.7 ? HOUR_MS / 6 : kind < 0.9 ? 2 * HOUR_MS : 5 * DAY_MS;
    steps.now += steps.random() * ms;
    this.isSweeperDown = steps.random() < 0.3;
  }

  private publish(): void {
    const { steps } = this;
    const publication: Publication = { name: `m${(this.published += 1)}`, hasOwnId: steps.random() < 0.6 };
    if (steps.random() < 0.2) publication.idempotencyKey = `k${this.published % 3}`;
    if (steps.random() < 0.1) publication.expiresAtMs = Math.ceil(steps.now + steps.random() * 20_000);
    this.send(publication, 0);
    // An SDK that publishes again, or SNS.
    if (publication.hasOwnId && steps.random() < 0.4) this.send(publication, steps.random() * 50_000);
  }

  private send(of: Publication, delayMs: number, originalMessageId?: string): Copy {
    const sqsId = `00000000-0000-4000-8000-${String((this.sqsIds += 1)).padStart(12, "0")}`;
    const sentAtMs = Math.floor(this.steps.now + delayMs);
    const copy = { of, sqsId, sentAtMs, dueAtMs: sentAtMs, attempt: 0, originalMessageId };
    this.queue.push(copy);
    return copy;
  }

  /** Its attempts are over; an operator may redrive it. */
  private deadLetter({ of, sqsId, originalMessageId, ...copy }: Copy): void {
    const { steps, queue } = this;
    queue.splice(
      queue.findIndex((other) => other.sqsId === sqsId),
      1,
    );
    if (steps.random() < 0.4 && copy.attempt < 100) {
      const redriven = this.send(of, steps.random() * 600_000, originalMessageId ?? sqsId);
      // Not for ever.
      redriven.attempt = 100;
    }
  }

  private start(task: () => Promise<void>): void {
    this.working += 1;
    this.steps.start(async () => {
      try {
        await task();
      } finally {
        this.working -= 1;
      }
    });
  }

  private async deliver(copies: readonly Copy[]): Promise<void> {
    const { steps, mistake } = this;
    const skewMs = (steps.random() - 0.5) * 2 * MAX_SKEW_MS;
    const byMessage = new Map(copies.map((copy) => [(mistake.message ?? same)(messageOfCopy(copy)), copy]));
    const messages = [...byMessage.keys()];
    const history = this.called((segment) => {
      const byId = new Map<string, Publication>();
      for (const { of, sqsId, originalMessageId } of copies) {
        byId.set(of.hasOwnId ? of.name : (originalMessageId ?? sqsId), of);
      }
      this.onPut(segment, byId);
      const rest = copies.map(({ of }) => of);
      const isInOrder = segment.messages.every(({ id }) => {
        const position = rest.indexOf(byId.get(id) as Publication);
        rest.splice(0, position + 1);
        return position >= 0;
      });
      this.check(isInOrder, `${[...byId.keys()].join()} were stored in another order`);
    });
    const outcomes = new Map<Message, Outcome>();
    const known = (steps.random() < 0.5 && this.environments.pop()) || new KnownSessions();
    const dependencies = {
      history,
      retentionMs: this.retentionMs,
      waitingAfterMs: this.waitingAfterMs,
      generation: 0,
      // A warm environment serves many invocations.
      known,
      now: () => Math.floor(steps.now + skewMs),
      random: steps.random,
      newEpoch: () => `e${(this.epochs += 1)}`,
      pause: () => steps.turn(),
      metrics: new RecordedMetrics(),
      log: new RecordedLog(),
    };
    const numbered = await storeInOrder({ key, messages }, outcomes, dependencies, new AbortController().signal);
    this.environments.push(known);
    for (const message of messages) {
      const copy = byMessage.get(message) as Copy;
      const entry = numbered.find((one) => one.message === message)?.entry;
      const kind = outcomes.get(message)?.kind;
      if (entry) {
        const stored = this.used.get(`${entry.epoch}/${entry.seq}`);
        this.check(stored === copy.of, `${copy.of.name} was given the number of ${stored?.name ?? "nothing"}`);
      }
      if (kind === "duplicate") {
        const taken = this.keys.get(copy.of.idempotencyKey as string);
        const isOther = [...this.claimants].some((owner) => owner !== (copy.originalMessageId ?? copy.sqsId));
        this.check(taken !== undefined || isOther, `${copy.of.name} was called a duplicate of nothing`);
      }
      const isDone = entry !== undefined || kind === "duplicate" || kind === "undeliverable";
      const leftMs = copy.sentAtMs + RETRY_WINDOW_MS - steps.now;
      // The post may fail, or the answer of the function be lost.
      if (leftMs > 0 && (!isDone || steps.random() < 0.15)) {
        const soon = steps.random() < 0.7 ? Math.min(leftMs, 20_000) : leftMs;
        const again = { ...copy, attempt: copy.attempt + 1, dueAtMs: steps.now + steps.random() * soon };
        if (!this.queue.some(({ sqsId }) => sqsId === copy.sqsId)) this.queue.push(again);
      }
    }
  }

  /** The owners of claims, as they were written. */
  private readonly claimants = new Set<string>();

  /** A visit of the sweeper, of a relay that has neither receipts nor dead letters of expired messages. */
  private async visit(marked: number): Promise<void> {
    const dependencies = {
      history: this.called(),
      retentionMs: this.retentionMs,
      waitingAfterMs: this.waitingAfterMs,
      deadLetters: undefined,
      receipts: NO_RECEIPTS,
      metrics: new RecordedMetrics(),
      log: new RecordedLog(),
      now: () => this.steps.now,
    };
    try {
      await visitSession({ key, first: marked }, dependencies, new AbortController().signal);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }

  /** The history as one invocation calls it that starts now. */
  private called(onPut?: (segment: Segment) => void): History {
    const { steps, history, mistake } = this;
    const startedAtMs = steps.now;
    const step = async (): Promise<void> => {
      await steps.turn();
      if (steps.now - startedAtMs > WORKER_LIFE_MS) throw new Fault("out of time");
      if (steps.random() < 0.03) throw new Fault("a crash, or a table that fails");
    };
    const observed: History = Object.assign(Object.create(history) as History, {
      put: async (of: typeof key, segment: Segment) => {
        const answer = await history.put(of, segment);
        if (answer === "stored") onPut?.(segment);
        return answer;
      },
      claimKey: async (...args: Parameters<History["claimKey"]>) => {
        const answer = await (history as History).claimKey(...args);
        if (answer === "claimed") this.claimants.add(args[2].owner);
        return answer;
      },
    });
    const altered = onPut
      ? Object.assign(Object.create(observed) as History, mistake.alter?.(observed, history, this.retentionMs))
      : observed;
    return new Proxy(altered, {
      get: (target, name: keyof History) => {
        const method = target[name] as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          await step();
          const answer = await method.apply(target, args);
          await step();
          return answer;
        };
      },
    });
  }

  private onPut(segment: Segment, byId: ReadonlyMap<string, Publication>): void {
    const { steps } = this;
    const { first, epoch, storedAtMs, untilMs, ttlMs = Infinity } = segment;
    const before = this.history.segments(key).findLast((other) => other.first < first);
    if (before) {
      this.check(before.storedAtMs <= storedAtMs, `${first} is older than what is before it`);
      this.check(before.untilMs <= untilMs, `${first} expires before what is before it`);
      // A TTL that is given back meanwhile may be later by as much as a worker's life.
      const isSooner = !isSealed(before) && ttlMs + 2 * WORKER_LIFE_MS < (before.ttlMs as number);
      this.check(!isSooner, `${first} may be deleted before its predecessor`);
    }
    segment.messages.forEach(({ id }, position) => {
      const publication = byId.get(id) as Publication;
      const number = `${epoch}/${first + position}`;
      const other = this.used.get(number);
      this.check(!other, `${number} was given to ${other?.name} and to ${publication.name}`);
      this.used.set(number, publication);
      const atMs = this.puts.get(publication);
      const isTwice = atMs !== undefined && steps.now - atMs < Math.min(this.retentionMs, RETENTION_MS / 2);
      this.check(!isTwice, `${publication.name} has two numbers, one of them ${number}`);
      this.puts.set(publication, steps.now);
      const { idempotencyKey } = publication;
      if (idempotencyKey === undefined) return;
      const same = this.keys.get(idempotencyKey);
      const isTaken =
        same && same.publication !== publication && steps.now - same.atMs < RETENTION_MS / 2 - RETRY_WINDOW_MS;
      this.check(!isTaken, `${publication.name} has the key of ${same?.publication.name}`);
      this.keys.set(idempotencyKey, { publication, atMs: steps.now });
    });
  }

  /** From the first segment that is available to the last, nothing is missing. */
  private checkHoles(): void {
    const segments = this.history.segments(key);
    const epoch = segments.at(-1)?.epoch;
    const live = segments.filter((each) => each.epoch === epoch && endMs(each, this.retentionMs) > this.steps.now);
    live.forEach((segment, i) => {
      const last = live[i - 1];
      this.check(!last || lastSeqOf(last) + 1 === segment.first, `a hole before ${segment.first}`);
    });
  }

  private any<T>(of: readonly T[]): T {
    return of[Math.floor(this.steps.random() * of.length)] as T;
  }

  /** What is thrown within a call, its caller may catch. */
  private check(holds: boolean, what: string): void {
    if (!holds) this.violation ??= what;
  }
}

class Fault extends Error {}

function messageOfCopy({ of, sqsId, sentAtMs, attempt, originalMessageId }: Copy): Message {
  const { name, hasOwnId, idempotencyKey, expiresAtMs } = of;
  return messageOf(
    sqsRecord({
      messageId: sqsId,
      body: `of ${name}`,
      sentAtMs,
      attempt: attempt + 1,
      attributes: {
        messageId: hasOwnId ? name : undefined,
        idempotencyKey,
        originalMessageId,
        expiresAt: expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString(),
      },
    }),
  ) as Message;
}

function same<T>(value: T): T {
  return value;
}

/** Hashes of which many are alike. */
function weakHash(values: number): () => void {
  const { hashOfId } = recentIds;
  return patched(recentIds, "hashOfId", (id) => hashOfId(id) % values);
}

/** Puts another function in an object's place, until what is returned is called. */
export function patched<T extends object, K extends keyof T>(object: T, name: K, value: T[K]): () => void {
  const original = object[name];
  const define = (function_: T[K]) =>
    void Object.defineProperty(object, name, {
      value: function_,
      configurable: true,
      writable: true,
      enumerable: true,
    });
  define(value);
  return () => define(original);
}
