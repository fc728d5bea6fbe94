import { expect } from "chai";
import type { History, Segment } from "../../../handlers/history/history";
import { REPORT_GRACE_MS, ttlSlackMs, WORKER_LIFE_MS } from "../../../handlers/history/retention";
import { isSealed, lastSeqOf } from "../../../handlers/history/segment";
import { type VisitDependencies, visitSession } from "../../../handlers/sweepers/visitSession";
import type { Receipt } from "../../../protocol";
import { RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { Interleaving } from "../../support/interleaving";
import { MemoryHistory } from "../../support/memoryHistory";
import { key } from "../history/segments";
import { appendUnexpired } from "./segments";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const retentionMs = 2 * DAY_MS;
const slackMs = ttlSlackMs(retentionMs);
const waitingAfterMs = HOUR_MS;

/** How late a receipt `waiting` may be here, where visits crash, are late and take long; visitSession.test.ts has the bound. */
const LATE_MS = HOUR_MS / 2;

/** How far two clocks may be apart. */
const SKEW_MS = 10_000;

/** Visits overlap and crash, so that a receipt may come a few times. */
const MANY_RECEIPTS = 10;

interface StoredHere {
  storedAtMs: number;
  expiresAtMs: number;
  ackedAtMs?: number;
  reportedAtMs?: number;
  waitedAtMs?: number;
  receipts: number;
}

class Crash extends Error {}

type VisitHistory = VisitDependencies["history"];

/** What a visit of that segment is made to do wrong. */
interface Mistake {
  history?: (history: VisitHistory, first: number) => Partial<VisitHistory>;
  /** What those that append do wrong. */
  append?: (history: History) => Partial<History>;
  /** What happens before receipts are published. */
  beforeReport?: (receipts: readonly Receipt[], history: VisitHistory) => Promise<void>;
}

interface Scenario {
  /** For how long the sweeper is down at times. @default never */
  downForMs?: number;
  /** After how long an open message gets the receipt `waiting`. @default never */
  waitingAfterMs?: number;
  mistake?: Mistake;
  /** The runs' first seed, where few runs meet the mistake. @default 1 */
  firstSeed?: number;
}

interface Played {
  faults: Set<string>;
  sealed: number;
  reported: number;
  waiting: number;
  overlaps: number;
  epochs: Set<string>;
}

/**
 * One session. Workers append batches, clients acknowledge, and visits are made by marks that may be stale; each may crash
 * before and after each call, or live too long, and each has its own clock. DynamoDB deletes by TTL in any order.
 */
async function play(seed: number, { downForMs = 0, waitingAfterMs, mistake = {} }: Scenario = {}): Promise<Played> {
  // A tail whose TTL is a day away counts as deleted.
  const isLasting = downForMs < slackMs - DAY_MS;
  const tasks = new Interleaving(seed);
  const { random } = tasks;
  const history = new MemoryHistory();
  const stored = new Map<string, StoredHere>();
  const numbers = new Map<string, string>();
  const played: Played = { faults: new Set(), sealed: 0, reported: 0, waiting: 0, overlaps: 0, epochs: new Set() };
  const chance = (share: number) => random() < share;
  const newEpoch = () => `e${nextEpoch++}`;
  let [nextId, nextEpoch, visiting, downUntilMs, isOver] = [1, 1, 0, 0, false];

  /** Someone who makes calls. Lives no longer than an invocation, and crashes anywhere. */
  function worker() {
    const startedAtMs = tasks.now;
    const skewMs = (random() - 0.5) * SKEW_MS;
    const step = async () => {
      await tasks.turn();
      if (tasks.now - startedAtMs > WORKER_LIFE_MS || (!isOver && chance(0.02))) throw new Crash();
    };
    const callers: ProxyHandler<MemoryHistory> = {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          await step();
          const result = await method.apply(target, args);
          if (!isOver && chance(0.01)) throw new Crash();
          return result;
        };
      },
    };
    return { startedAtMs, step, now: () => tasks.now + skewMs, history: new Proxy(history, callers) as History };
  }
  const start = (task: () => Promise<void>) =>
    tasks.start(() =>
      task().catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      }),
    );

  /** A batch comes again until it is stored, as from the queue. */
  async function append(): Promise<void> {
    try {
      const { history, now } = worker();
      const expires = chance(0.3) ? { expiresAtMs: now() + random() * (chance(0.5) ? 60_000 : DAY_MS) } : {};
      const count = 1 + Math.floor(random() * 3);
      const messages = Array.from({ length: count }, () => ({ id: `m${nextId++}`, body: "b", ...expires }));
      const wrong = new Proxy(history, {
        get: (target, name) => Reflect.get(mistake.append?.(target) ?? {}, name) ?? Reflect.get(target, name),
      });
      const appended = await appendUnexpired(key, messages, {
        history: wrong,
        retentionMs,
        waitingAfterMs,
        now,
        newEpoch,
      });
      if (appended) note(appended);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      start(append);
    }
  }

  /** Also notes what a worker has stored that died before it knew. */
  function note(segment: Segment): void {
    played.epochs.add(segment.epoch);
    segment.messages.forEach(({ id, expiresAtMs = Infinity }, position) => {
      const number = `${segment.epoch}/${segment.first + position}`;
      if ((numbers.get(number) ?? id) !== id) played.faults.add("a number is given twice");
      numbers.set(number, id);
      const { storedAtMs } = segment;
      if (!stored.has(id)) stored.set(id, { storedAtMs, expiresAtMs, receipts: 0 });
    });
  }

  /** When a message is acknowledged or reported: whether its receipt has come, if it is to have one. */
  function checkWaited({ storedAtMs, expiresAtMs, waitedAtMs }: StoredHere): void {
    if (waitingAfterMs === undefined || downForMs > 0 || waitedAtMs !== undefined) return;
    const latestMs = storedAtMs + waitingAfterMs + LATE_MS;
    if (latestMs < Math.min(tasks.now, expiresAtMs)) played.faults.add("an open message gets no receipt in time");
  }

  async function acknowledge(): Promise<void> {
    await tasks.turn();
    const segments = history.segments(key);
    const tail = segments.at(-1);
    if (!tail || isSealed(tail)) return;
    await history.acknowledge(key, { epoch: tail.epoch, seq: lastSeqOf(tail) });
    for (const segment of segments) {
      note(segment);
      for (const { id } of segment.messages) {
        const message = stored.get(id);
        if (!message) continue;
        if (message.ackedAtMs === undefined && message.reportedAtMs === undefined) checkWaited(message);
        message.ackedAtMs ??= tasks.now;
      }
    }
  }

  async function visit(first: number): Promise<void> {
    const { startedAtMs, step, now, history: plain } = worker();
    const publish = async (receipts: readonly Receipt[]) => {
      await mistake.beforeReport?.(receipts, plain);
      await step();
      for (const { messageId, status } of receipts) {
        const message = stored.get(messageId);
        if (!message) throw new Error(`${messageId} was reported, and never stored`);
        if ((message.ackedAtMs ?? Infinity) < startedAtMs) played.faults.add("an acknowledged message is reported");
        if (status === "waiting") {
          const { storedAtMs, reportedAtMs = Infinity } = message;
          if (tasks.now + SKEW_MS < storedAtMs + (waitingAfterMs ?? Infinity))
            played.faults.add("a receipt is too early");
          if (reportedAtMs < startedAtMs) played.faults.add("a message is waiting that was reported");
          if ((message.receipts += 1) > MANY_RECEIPTS) played.faults.add("a receipt comes again and again");
          message.waitedAtMs ??= tasks.now;
          played.waiting += 1;
          continue;
        }
        if (message.reportedAtMs === undefined && message.ackedAtMs === undefined) checkWaited(message);
        message.reportedAtMs ??= tasks.now;
        played.reported += 1;
      }
    };
    const dependencies: VisitDependencies = {
      history: withMistake(plain, mistake, first),
      receipts: { wanted: true, publish },
      deadLetters: undefined,
      metrics: new RecordedMetrics(),
      log: new RecordedLog(),
      retentionMs,
      waitingAfterMs,
      now,
    };
    visiting += 1;
    if (visiting > 1) played.overlaps += 1;
    try {
      const { isSealed } = await visitSession({ key, first }, dependencies, new AbortController().signal);
      if (isSealed) played.sealed += 1;
    } finally {
      visiting -= 1;
    }
  }

  // With receipts, so many are due that all at once would take each other's turns for longer than they live.
  const atOnce = waitingAfterMs === undefined ? Infinity : 4;
  const dueSegments = () =>
    history.segments(key).filter(({ isMarked, dueAtMs = Infinity }) => isMarked && dueAtMs <= tasks.now);
  const nextDueMs = () =>
    Math.min(...history.segments(key).map(({ isMarked, dueAtMs = Infinity }) => (isMarked ? dueAtMs : Infinity)));

  function deleteByTtl(): void {
    const expired = history.segments(key).filter(({ ttlMs = Infinity }) => ttlMs <= tasks.now);
    const victim = expired[Math.floor(random() * expired.length)];
    if (!victim) return;
    for (const { id } of victim.messages) {
      const { ackedAtMs, reportedAtMs } = stored.get(id) ?? {};
      if (isLasting && ackedAtMs === undefined && reportedAtMs === undefined) {
        played.faults.add("a message is deleted before it is reported");
      }
    }
    history.log(key).segments.delete(victim.first);
    if (history.segments(key).length === 0 && isLasting) played.faults.add("the tail is deleted");
  }

  /** Lets whatever is under way go on for a while. */
  async function pass(turns: number): Promise<void> {
    for (let i = 0; i < turns; i++) {
      await tasks.turn();
      for (const segment of history.segments(key)) note(segment);
    }
  }

  async function sweep(): Promise<void> {
    if (tasks.now < downUntilMs) return;
    for (const { first } of dueSegments().slice(0, atOnce)) {
      for (let times = chance(0.3) ? 2 : 1; times > 0; times--) start(() => visit(first));
    }
    await pass(Math.floor(random() * 30));
  }

  tasks.start(async () => {
    for (let round = 0; round < 120; round++) {
      if (downForMs > 0 && tasks.now > downUntilMs && chance(0.03)) downUntilMs = tasks.now + downForMs;
      for (let appends = Math.floor(random() * 3); appends > 0; appends--) start(append);
      if (chance(0.2)) start(acknowledge);
      await sweep();
      await pass(Math.floor(random() * 20));
      if (chance(0.5)) deleteByTtl();
      // Often to just before or after the next visit, where the races are; never far past it while the sweeper works.
      const idleMs = chance(0.1) ? random() * 4 * DAY_MS : random() * random() * 12 * HOUR_MS;
      const dueMs = Math.max(0, nextDueMs() - tasks.now + random() * 60_000 - (chance(0.3) ? 30_000 : 0));
      const toTheNextVisit = dueMs < Infinity && chance(0.6);
      await tasks.turn(
        tasks.now < downUntilMs
          ? Math.min(idleMs, downUntilMs - tasks.now)
          : toTheNextVisit
            ? dueMs
            : Math.min(idleMs, dueMs),
      );
    }
    // The sweeper works, no message comes, and everything ends.
    [isOver, downUntilMs] = [true, 0];
    await pass(300);
    for (let round = 0; round < 200 && nextDueMs() < Infinity; round++) {
      await tasks.turn(Math.max(0, nextDueMs() - tasks.now) + 60_000);
      for (const { first } of dueSegments().slice(0, atOnce)) start(() => visit(first));
      await pass(200);
    }
    if (isLasting && nextDueMs() < Infinity) played.faults.add("a session is visited for ever");
    for (const { ackedAtMs, reportedAtMs } of stored.values()) {
      if (isLasting && ackedAtMs === undefined && reportedAtMs === undefined) {
        played.faults.add("a message is never reported");
      }
    }
    const segments = history.segments(key);
    if (segments.slice(0, -1).some(isSealed)) played.faults.add("a sealed segment is left behind");
    const tail = segments.at(-1);
    if (isLasting && tail && !isSealed(tail)) played.faults.add("the tail is not sealed");
  });
  await tasks.finish();
  if (isLasting && played.epochs.size > 1) played.faults.add("the numbers start over");
  return played;
}

function withMistake(history: VisitHistory, { history: wrongOf }: Mistake, first: number): VisitHistory {
  const wrong = wrongOf?.(history, first);
  return wrong
    ? new Proxy(history, { get: (target, name) => Reflect.get(wrong, name) ?? Reflect.get(target, name) })
    : history;
}

async function faultsOf(runs: number, scenario: Scenario = {}): Promise<string[]> {
  const faults = new Set<string>();
  const { firstSeed = 1 } = scenario;
  for (let seed = firstSeed; seed < firstSeed + runs && (faults.size === 0 || !scenario.mistake); seed++) {
    for (const fault of (await play(seed, scenario)).faults) faults.add(`${fault}, seed ${seed}`);
  }
  return [...faults];
}

const runs = 16;

/** The segment as it is now. */
async function current(history: VisitHistory, first: number): Promise<Segment> {
  const [segment] = await history.readBack(key, first, 1);
  if (segment?.first !== first) throw new Crash();
  return segment;
}

const mistakes: Record<string, Scenario> = {
  "does not seal the tail": { mistake: { history: () => ({ seal: () => Promise.resolve("sealed") }) } },
  "leaves a sealed segment": { mistake: { history: () => ({ delete: () => Promise.resolve() }) } },
  "forgets to plan the next visit": { mistake: { history: () => ({ mark: () => Promise.resolve() }) } },
  "takes its segment out of the index before it has planned the next visit": {
    mistake: {
      history: (history, first) => ({
        mark: async (of, seen, dueAtMs) => {
          if (seen.first !== first) await history.unmark(of, await current(history, first));
          await history.mark(of, seen, dueAtMs);
        },
      }),
    },
  },
  "moves the due time of a marked segment": {
    firstSeed: 270,
    mistake: {
      history: (history, first) => ({
        mark: async (of, seen, dueAtMs) => {
          const [tail] = await history.readBack(of, Number.MAX_SAFE_INTEGER, 1);
          await history.mark(of, seen.first === first ? seen : (tail ?? seen), dueAtMs);
        },
      }),
    },
  },
  "settles before it reports": {
    mistake: {
      beforeReport: async (receipts, history) => {
        const { epoch = "", seq = 0 } = receipts.at(-1) ?? {};
        await history.settle(key, { settled: { epoch, seq } });
      },
    },
  },
  "does not ask what is acknowledged": {
    mistake: { history: () => ({ readCursor: () => Promise.resolve({ oldestSeq: 1 }) }) },
  },
  "comes again only for the report, not for the next receipt": {
    waitingAfterMs,
    mistake: {
      history: (history) => ({
        mark: (of, seen, dueAtMs) =>
          history.mark(of, seen, Math.max(dueAtMs, seen.storedAtMs + retentionMs + REPORT_GRACE_MS)),
      }),
    },
  },
  "is brought only for the report by a new message": {
    waitingAfterMs,
    mistake: {
      append: (history) => ({
        put: (of, segment) =>
          history.put(of, { ...segment, dueAtMs: segment.untilMs + REPORT_GRACE_MS, laterDueAtMs: undefined }),
      }),
    },
  },
  "is not brought by a new message that relies on a visit too late": {
    waitingAfterMs,
    mistake: {
      append: (history) => ({
        put: (of, segment) => {
          const { laterDueAtMs: later } = segment;
          return history.put(of, later === undefined ? segment : { ...segment, dueAtMs: later, isMarked: false });
        },
      }),
    },
  },
  "moves what is waited for before it publishes": {
    waitingAfterMs,
    mistake: {
      beforeReport: async (receipts, history) => {
        const { epoch = "", seq = 0, status } = receipts.at(-1) ?? {};
        if (status === "waiting") await history.moveWaited(key, { epoch, seq });
      },
    },
  },
  "does not move what is waited for": {
    waitingAfterMs,
    mistake: { history: () => ({ moveWaited: () => Promise.resolve() }) },
  },
};

describe("visits of a session in any order", function () {
  this.timeout(180_000);

  it("report each message that is not acknowledged, give no number twice, and leave one sealed segment", async () => {
    expect(await faultsOf(runs)).to.deep.equal([]);
  });

  it("publish a receipt for each message that is open for an hour, in time, and do all of that", async () => {
    expect(await faultsOf(runs, { waitingAfterMs })).to.deep.equal([]);
  });

  it("do all of that where messages wait for half a minute", async () => {
    expect(await faultsOf(runs / 2, { waitingAfterMs: 30_000 })).to.deep.equal([]);
  });

  it("do all of that where the sweeper is down for days", async () => {
    for (const waiting of [undefined, waitingAfterMs]) {
      expect(await faultsOf(runs / 2, { downForMs: slackMs - 1.5 * DAY_MS, waitingAfterMs: waiting })).to.deep.equal(
        [],
      );
    }
  });

  it("give no number twice after the sweeper was down for longer than the TTL's slack", async () => {
    expect(await faultsOf(runs, { downForMs: retentionMs + slackMs + DAY_MS })).to.deep.equal([]);
  });

  it("do meet each other, and what is written meanwhile", async () => {
    const all = await play(1, { waitingAfterMs });
    expect(all.overlaps).to.be.greaterThan(0);
    expect(all.sealed).to.be.greaterThan(0);
    expect(all.reported).to.be.greaterThan(0);
    expect(all.waiting).to.be.greaterThan(0);
  });

  for (const [name, scenario] of Object.entries(mistakes)) {
    it(`notice a visit that ${name}`, async () => {
      expect(await faultsOf(300, scenario)).not.to.deep.equal([]);
    });
  }
});
