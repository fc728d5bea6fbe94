import { expect } from "chai";
import type { Entry, Segment, SessionCursor } from "../../../handlers/history/history";
import { seqIn } from "../../../handlers/history/recovery";
import { entriesOf } from "../../../handlers/history/segment";
import type { Envelope, Resume } from "../../../protocol";
import { mulberry32 } from "../../support/mulberry32";
import { setUp } from "./resumeSetUp";
import { key, now, retentionMs, segmentOf } from "../history/segments";

/** A random log, a cursor item that fits it, and a random question. */
interface Scenario {
  segments: Segment[];
  done: SessionCursor;
  asked: Omit<Resume, "action">;
}

function scenarioOf(seed: number): Scenario {
  const random = mulberry32(seed);
  const below = (n: number) => Math.floor(random() * n);
  const chance = (probability: number) => random() < probability;

  const isLarge = chance(0.2);
  const all: Segment[] = [];
  let first = 1;
  let epoch = "d";
  let storedAtMs = now - below(3) * retentionMs - below(retentionMs);
  for (let n = chance(0.05) ? 0 : 1 + below(chance(0.2) ? 60 : 12); n > 0; n--) {
    // 256 KB at most.
    const count = 1 + below(chance(0.2) && !isLarge ? 30 : 5);
    storedAtMs = Math.min(storedAtMs + below(chance(0.1) ? retentionMs : retentionMs / 20), now);
    if (chance(0.05)) epoch += "d";
    const segment = segmentOf(first, {
      count,
      epoch,
      storedAtMs,
      // The retention was twice as long when some were stored.
      untilMs: Math.max(storedAtMs + retentionMs * (chance(0.1) ? 2 : 1), all.at(-1)?.untilMs ?? 0),
      body: "x".repeat(isLarge ? 40_000 : 10),
    });
    const messages = segment.messages.map((message) =>
      chance(0.2) ? { ...message, expiresAtMs: now - 30_000 + below(60_000) } : message,
    );
    const reported = messages.flatMap(({ expiresAtMs = Infinity }, position) =>
      expiresAtMs <= now && chance(0.5) ? [position] : [],
    );
    all.push({ ...segment, messages, reported });
    first += count;
  }
  const tail = all.at(-1);
  const isExpired = (segment: Segment) => endOf(segment) <= now;
  // The table's TTL deletes in no order; the sweeper seals the last one.
  const segments = all.flatMap((segment) => {
    if (!isExpired(segment)) return [segment];
    if (segment === tail)
      return chance(0.5) ? [{ ...segment, messages: [], reported: [], ttlMs: undefined }] : [segment];
    return chance(0.3) ? [] : [segment];
  });

  const newest = first - 1;
  const present = { epoch, seq: below(newest + 1) };
  const lastExpired = segments.findLast(isExpired);
  const isLogGone = chance(0.1);
  const done: SessionCursor = {
    oldestSeq: isLogGone ? below(2 * first) + 1 : 1 + below(lastExpired ? lastExpired.first : 1),
    ...(chance(0.7) && { acknowledged: isLogGone ? { epoch: "c", seq: below(100) } : present }),
    ...(lastExpired && chance(0.5) && { settled: { epoch, seq: lastExpired.first + lastExpired.count - 1 } }),
  };
  const cursor = chance(0.8)
    ? { epoch: chance(0.1) ? "c" : epoch, seq: below(newest + 1) + (chance(0.1) ? 9 : 0) }
    : undefined;
  const after = cursor && chance(0.3) ? { after: cursor.seq + below(9) } : {};
  return { segments, done, asked: { ...(cursor ? { cursor, ...after } : chance(0.5) && { from: "oldest" }) } };
}

function endOf({ untilMs, storedAtMs }: Segment): number {
  return Math.min(untilMs, storedAtMs + retentionMs);
}

/** What the answer and its reports are, worked out from the whole log at once. */
function modelOf({ segments, done, asked: { cursor, after = 0, from } }: Scenario) {
  const tail = segments.at(-1);
  const newest = tail ? tail.first + tail.count - 1 : 0;
  const epoch = tail?.epoch;
  const entries = segments.flatMap(entriesOf);
  const oldest = segments.find((segment) => segment.messages.length > 0 && endOf(segment) > now)?.first ?? newest + 1;
  const acknowledgedSeq = done.acknowledged?.epoch === epoch ? (done.acknowledged?.seq ?? 0) : 0;
  const settledSeq = done.settled?.epoch === epoch ? (done.settled?.seq ?? 0) : 0;
  const arrived = cursor && Math.max(cursor.seq, after);
  const isCursorValid = cursor !== undefined && cursor.epoch === epoch && (arrived ?? 0) <= newest;
  const lost = cursor && !isCursorValid ? (cursor.epoch === epoch ? "ahead" : "epoch") : undefined;
  const begin = lost || (!cursor && from === "oldest") ? oldest : (arrived ?? acknowledgedSeq) + 1;
  const first = Math.max(begin, oldest);
  const isOpen = (entry: Entry) => entry.body !== undefined && entry.seq > acknowledgedSeq && entry.seq > settledSeq;
  const isLate = ({ expiresAtMs = Infinity }: Entry) => expiresAtMs <= now;
  const seen = isCursorValid ? cursor.seq : 0;
  // What has arrived is only skipped together with what follows it.
  const held = isCursorValid && begin >= oldest ? (arrived ?? 0) : seen;
  return {
    hello: { type: "hello", ...(epoch !== undefined && { epoch }), oldest, newest },
    lost: lost ?? (begin < oldest ? "expired" : undefined),
    first,
    newest,
    messagesThrough: (through: number): object[] =>
      entries
        .filter(({ seq }) => seq >= first && seq <= through)
        .map((entry) => ({
          ...{ type: "message", epoch, seq: entry.seq, id: entry.messageId },
          ...(entry.body === undefined || isLate(entry) ? { expired: true } : { body: entry.body }),
        })),
    reportedThrough: (through: number) =>
      entries
        .filter(
          (entry) => isOpen(entry) && entry.seq > held && entry.seq <= through && (entry.seq < first || isLate(entry)),
        )
        .map(({ seq }) => seq),
    /** Receipts that its cursor brings. */
    delivered: entries.filter((entry) => isOpen(entry) && entry.seq <= seen).map(({ seq }) => seq),
    acknowledgedSeq: Math.max(acknowledgedSeq, seen),
  };
}

function play(scenario: Scenario) {
  const parts = setUp();
  const log = parts.history.log(key);
  for (const segment of scenario.segments) log.segments.set(segment.first, segment);
  log.cursor = scenario.done;
  const receipts = (status: string) =>
    parts.receipts.published.flatMap((receipt) => (receipt.status === status ? [receipt.seq ?? 0] : []));
  return { ...parts, log, receipts };
}

function throughOf(envelopes: Envelope[]): number {
  const resumed = envelopes[1];
  return resumed?.type === "resumed" ? resumed.through : NaN;
}

const SEEDS = Array.from({ length: 250 }, (_, index) => index + 1);

describe("resume, over random logs", () => {
  it("sends what a model of the whole log sends, and reports and acknowledges the same", async () => {
    let [lost, cut, searched, reports] = [0, 0, 0, 0];
    for (const seed of SEEDS) {
      const scenario = scenarioOf(seed);
      const model = modelOf(scenario);
      const { ask, envelopes, posted, receipts, log, history } = play(scenario);
      expect(await ask(scenario.asked), `seed ${seed}`).to.deep.equal({ statusCode: 200 });
      // One reads the tail.
      if (history.calls.filter((call) => call === "readBack").length > 2) searched += 1;
      const through = throughOf(envelopes());
      expect(envelopes(), `seed ${seed}`).to.deep.equal([
        model.hello,
        {
          ...{ type: "resumed", recovered: model.lost === undefined, first: model.first, through },
          ...(model.lost && { lost: model.lost }),
        },
        ...model.messagesThrough(through),
      ]);
      expect(through, `seed ${seed}`).to.be.within(
        Math.min(model.first, model.newest),
        Math.max(model.newest, model.first - 1),
      );
      expect(
        receipts("expired").sort((a, b) => a - b),
        `seed ${seed}`,
      ).to.deep.equal(model.reportedThrough(through));
      expect(receipts("delivered"), `seed ${seed}`).to.deep.equal(model.delivered);
      expect(seqIn(model.hello.epoch, log.cursor.acknowledged), `seed ${seed}`).to.equal(model.acknowledgedSeq);

      // The same cursor again: the same messages, and nothing is reported or acknowledged twice. It may hold more of them, since
      // those that were reported have lost their bodies.
      const [frames, before] = [posted().flat(), [...receipts("expired"), ...receipts("delivered")].length];
      await ask(scenario.asked);
      const again = envelopes().slice(frames.length);
      if (scenario.asked.cursor) expect(again.slice(2, frames.length), `seed ${seed}`).to.deep.equal(frames.slice(2));
      if (throughOf(again) === through) {
        expect([...receipts("expired"), ...receipts("delivered")], `seed ${seed}`).to.have.length(before);
      }

      if (model.lost) lost += 1;
      if (through < model.newest) cut += 1;
      if (before > 0) reports += 1;
    }
    // The logs have it all.
    for (const count of [lost, cut, searched, reports]) expect(count).to.be.above(5);
  });

  it("sends the same to a client that asks again after a crash at any call", async () => {
    let crashes = 0;
    for (const seed of SEEDS.slice(0, 40)) {
      const scenario = scenarioOf(seed);
      const model = modelOf(scenario);
      for (const when of ["beforeCall", "afterCall"] as const) {
        for (let call = 1, hasCrashed = true; hasCrashed; call++) {
          const { ask, envelopes, receipts, log, history, connections } = play(scenario);
          const name = `seed ${seed}, ${when} ${call}`;
          let calls = 0;
          hasCrashed = false;
          history[when] = () => {
            if (hasCrashed || ++calls === call) return ((hasCrashed = true), Promise.reject(new Error("crashed")));
            return Promise.resolve();
          };
          connections.onPost = () => Promise.resolve({ result: hasCrashed ? "timeout" : "delivered" });
          await ask(scenario.asked);
          history[when] = () => Promise.resolve();
          if (hasCrashed) crashes += 1;
          connections.onPost = undefined;
          connections.posts.length = 0;

          expect(await ask(scenario.asked), name).to.deep.equal({ statusCode: 200 });
          const through = throughOf(envelopes());
          // Without a cursor, the client starts where it has acknowledged, as before.
          expect(envelopes().slice(2), name).to.deep.equal(model.messagesThrough(through));
          expect(
            [...new Set(receipts("expired"))].sort((a, b) => a - b),
            name,
          ).to.deep.equal(model.reportedThrough(through));
          expect(
            [...new Set(receipts("delivered"))].sort((a, b) => a - b),
            name,
          ).to.deep.equal(model.delivered);
          expect(seqIn(model.hello.epoch, log.cursor.acknowledged), name).to.equal(model.acknowledgedSeq);
        }
      }
    }
    expect(crashes).to.be.above(500);
  });
});
