import { expect } from "chai";
import { append, HistoryContendedError } from "../../../handlers/history/append";
import { sweepSessionHistory } from "../../../handlers/sweepers/sweepSessionHistory";
import type { Claim, Entry, EntryHead } from "../../../handlers/history/history";
import { historyShard } from "../../../handlers/history/historyKey";
import { RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { Interleaving } from "../../support/interleaving";
import { key } from "./entries";
import { MemoryHistory } from "../../support/memoryHistory";

const FIRST_SEED = 20_261_125;
const RUNS = 3_000;

const FIRST_RETENTION_MS = 300_000;
const RAISED_RETENTION_MS = 900_000;
/** As long as an invocation and its last request may take. */
const INVOCATION_MS = 60_000;

/** What the run is made to get wrong, to see that it would be noticed. */
const MISTAKES = [
  "a claim that overwrites any claim",
  "a claim that is moved from wherever it is",
  "claims that are void at once",
  "an entry that overwrites any entry",
  "a sweeper that deletes the newest number",
  "the entry that is looked for before the tail",
  "a time of storing that is the clock's",
] as const;
type Mistake = (typeof MISTAKES)[number];

/** What was put, when; numbers are never forgotten here. */
interface Put {
  entry: Entry;
  atMs: number;
}

/**
 * One session's messages are stored by several workers at once, each call of any of them being a step that may come at any
 * time, may fail before or after it has done its work, or be the worker's last. Messages come twice, and again until they are
 * stored; what is old is swept meanwhile, and the retention is raised.
 */
class Model {
  private readonly steps: Interleaving;
  private readonly history: MemoryHistory;
  private readonly puts: Put[] = [];
  private readonly published = new Set<string>();
  private retentionMs = FIRST_RETENTION_MS;
  private epochs = 0;

  constructor(
    seed: number,
    private readonly mistake?: Mistake,
  ) {
    this.steps = new Interleaving(seed);
    this.history = new MemoryHistory(FIRST_RETENTION_MS);
  }

  /** What was violated first; undefined where nothing was. */
  async run(): Promise<string | undefined> {
    const { steps } = this;
    const messages = 2 + Math.floor(steps.random() * 5);
    for (let i = 0; i < messages; i++) {
      this.published.add(`m${i}`);
      steps.start(() => this.worker([`m${i}`, ...(steps.random() < 0.4 ? [this.anyMessage()] : [])]));
      if (steps.random() < 0.5) steps.start(() => this.worker([`m${i}`], steps.random() * 700_000));
    }
    for (let i = 0; i < 3; i++) steps.start(() => this.sweeper());
    if (steps.random() < 0.5) steps.start(() => this.raise());
    try {
      await steps.finish();
    } catch (error) {
      if (error instanceof Violation) return error.message;
      throw error;
    }
    const lost = [...this.published].filter((id) => !this.puts.some(({ entry }) => entry.messageId === id));
    return lost.length > 0 ? `${lost.join()} was never stored` : undefined;
  }

  private anyMessage(): string {
    return `m${Math.floor(this.steps.random() * this.published.size)}`;
  }

  /** A batch of the session's messages in order; what is not stored comes again. */
  private async worker(messageIds: string[], delayMs = 0): Promise<void> {
    const { steps } = this;
    await steps.turn(delayMs);
    const history = this.historyOf(steps.now);
    let tail: EntryHead | undefined;
    for (const [index, messageId] of messageIds.entries()) {
      // Another skew for each: the clocks of two functions differ.
      const skewMs = (steps.random() - 0.5) * 2_000;
      const dependencies = {
        history,
        retentionMs: this.retentionMs,
        now: () => Math.floor(steps.now + skewMs),
        newEpoch: () => `e${(this.epochs += 1)}`,
      };
      const message = { messageId, body: `of ${messageId}`, expiresAtMs: undefined, attributes: {} };
      try {
        const appended = await append(key, message, tail, dependencies);
        tail = appended.tail;
        this.check(appended.entry.messageId === messageId, `${messageId} was given another's entry`);
        for (const { seq, epoch } of [appended.entry, tail]) {
          const isPut = this.puts.some(({ entry }) => entry.seq === seq && entry.epoch === epoch);
          this.check(isPut, `${seq} was said to stand before it did`);
        }
      } catch (error) {
        if (!(error instanceof Fault || error instanceof HistoryContendedError)) throw error;
        const delayMs = steps.random() * (steps.random() < 0.4 ? 1_000_000 : 100);
        steps.start(() => this.worker(messageIds.slice(index), delayMs));
        return;
      }
    }
  }

  private async sweeper(): Promise<void> {
    const { steps } = this;
    const history = this.historyOf(Infinity);
    const dependencies = {
      history,
      deadLetters: undefined,
      receipts: { wanted: false, publish: () => Promise.resolve() },
      metrics: new RecordedMetrics(),
      log: new RecordedLog(),
    };
    for (let i = 0; i < 3; i++) {
      await steps.turn(steps.random() * 400_000);
      try {
        for await (const page of history.findDue(historyShard(key), steps.now)) {
          const seqs = page.map(({ seq }) => seq).sort((a, b) => a - b);
          const given = { ...dependencies, retentionMs: this.retentionMs, now: () => steps.now };
          await sweepSessionHistory(key, seqs, given, new AbortController().signal);
        }
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
    }
  }

  private async raise(): Promise<void> {
    await this.steps.turn(FIRST_RETENTION_MS + this.steps.random() * 400_000);
    this.retentionMs = RAISED_RETENTION_MS;
  }

  /** The history as one function calls it that started then. */
  private historyOf(startedAtMs: number): MemoryHistory {
    const { steps, history, mistake } = this;
    let early: { seq: number; entry: Entry | undefined } | undefined;

    const call = async (name: string, args: unknown[]): Promise<unknown> => {
      const [, second] = args;
      const log = history.log(key);
      if (name === "claim" && mistake === "a claim that overwrites any claim") log.claims.clear();
      if (name === "claim" && mistake === "claims that are void at once") args[3] = Infinity;
      if (name === "moveClaim" && mistake === "a claim that is moved from wherever it is") {
        args[2] = log.claims.get(second as string)?.seq;
      }
      if (name === "put") {
        const entry = second as Entry;
        if (mistake === "a time of storing that is the clock's") entry.storedAtMs = steps.now + steps.random() * 2_000;
        if (mistake === "an entry that overwrites any entry") log.entries.delete(entry.seq);
        const answer = await history.put(key, entry);
        if (answer === "stored") this.onPut(entry);
        return answer;
      }
      if (name === "readTail" && mistake === "a sweeper that deletes the newest number" && startedAtMs === Infinity) {
        const tail = await history.readTail(key);
        return tail && { ...tail, seq: tail.seq + 1 };
      }
      if (name === "readEntry" && mistake === "the entry that is looked for before the tail" && early?.seq === second) {
        return early?.entry;
      }
      const method = history[name as "readEntry"] as (...given: unknown[]) => Promise<unknown>;
      const answer = await method.apply(history, args);
      if (name === "readClaim") {
        const seq = (answer as Claim | undefined)?.seq;
        early = seq === undefined ? undefined : { seq, entry: log.entries.get(seq) };
      }
      return answer;
    };

    return new Proxy(history, {
      get: (target, name: string) => {
        if (name === "findDue") return target.findDue.bind(target);
        return async (...args: unknown[]) => {
          await this.step(startedAtMs);
          const answer = await call(name, args);
          await this.step(startedAtMs);
          return answer;
        };
      },
    });
  }

  /** Before a call, and before its answer arrives. */
  private async step(startedAtMs: number): Promise<void> {
    const { steps } = this;
    await steps.turn();
    if (steps.now - startedAtMs > INVOCATION_MS) throw new Fault("out of time");
    if (steps.random() < 0.04) throw new Fault("a crash, or a table that fails");
  }

  private onPut(entry: Entry): void {
    const atMs = this.steps.now;
    const last = this.puts.find((put) => put.entry.seq === entry.seq - 1)?.entry;
    const twin = this.puts.findLast((put) => put.entry.messageId === entry.messageId)?.entry;
    this.check(!this.puts.some((put) => put.entry.seq === entry.seq), `two messages on ${entry.seq}`);
    this.check(entry.seq === 1 || last !== undefined, `a hole before ${entry.seq}`);
    this.check(!last || last.epoch === entry.epoch, `another epoch at ${entry.seq}`);
    this.check(!last || last.storedAtMs <= entry.storedAtMs, `${entry.seq} is older than its predecessor`);
    const isTwice = twin !== undefined && atMs < twin.storedAtMs + FIRST_RETENTION_MS;
    this.check(!isTwice, `${entry.messageId} on ${twin?.seq} and on ${entry.seq}`);
    this.puts.push({ entry: { ...entry }, atMs });
  }

  private check(holds: boolean, what: string): void {
    if (!holds) throw new Violation(what);
  }
}

class Fault extends Error {}
class Violation extends Error {}

async function firstViolation(runs: number, mistake?: Mistake): Promise<string | undefined> {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + runs; seed++) {
    const violation = await new Model(seed, mistake).run();
    if (violation !== undefined) return `seed ${seed}: ${violation}`;
  }
  return undefined;
}

describe("append, whatever comes between its calls", () => {
  it(`gives each message one number, in no holes, and loses none (${RUNS} random runs)`, async () => {
    expect(await firstViolation(RUNS)).to.equal(undefined);
  });

  for (const mistake of MISTAKES) {
    it(`would not pass with ${mistake}`, async () => {
      expect(await firstViolation(RUNS * 4, mistake)).to.be.a("string");
    });
  }
});
