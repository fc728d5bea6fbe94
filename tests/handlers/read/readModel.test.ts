import { expect } from "chai";
import { lastSeqOf } from "../../../handlers/history/segment";
import { mulberry32 } from "../../support/mulberry32";
import { key, messagesOf, retentionMs, segmentOf } from "../history/segments";
import { setUp } from "./readSetUp";

/** Interleavings that are played. */
const RUNS = 300;

/**
 * A reader follows the offsets of a log while messages are stored, expire and are deleted between the calls of each read, and
 * inside of one.
 *
 * @returns what was stored, what the reader got, and what it was told is gone
 */
async function follow(seed: number) {
  const random = mulberry32(seed);
  const below = (n: number) => Math.floor(random() * n);
  const chance = (probability: number) => random() < probability;
  const { ask, history, clock } = setUp();
  const { segments } = history.log(key);
  const isLarge = chance(0.1);
  let [newest, stored] = [0, 0];
  const expiredAtMs = new Map<number, number>();

  const step = () => {
    if (chance(0.5) && stored < 40) {
      const count = 1 + below(4);
      const body = isLarge ? "x".repeat(90_000) : undefined;
      const messages = messagesOf(newest + 1, count, body === undefined ? {} : { body });
      segments.set(newest + 1, segmentOf(newest + 1, { messages, storedAtMs: clock.now }));
      for (let seq = newest + 1; seq <= newest + count; seq++) expiredAtMs.set(seq, clock.now + retentionMs);
      newest += count;
      stored += 1;
    }
    if (chance(0.3)) clock.now += below(retentionMs / 5);
    for (const segment of history.segments(key).filter(({ untilMs }) => untilMs <= clock.now)) {
      if (!chance(0.1)) continue;
      // The table's TTL deletes in no order; the sweeper seals the last one, and moves the lower bound.
      if (lastSeqOf(segment) < newest) segments.delete(segment.first);
      else segments.set(segment.first, segmentOf(segment.first, { ...segment, isSealed: true }));
    }
    const expired = [...expiredAtMs].findLast(([, untilMs]) => untilMs <= clock.now)?.[0] ?? 0;
    if (chance(0.2)) history.log(key).cursor = { oldestSeq: 1 + below(expired + 1) };
  };
  history.beforeCall = async () => {
    if (chance(0.5)) await new Promise(setImmediate);
    for (let steps = below(4); steps > 0; steps--) step();
  };
  history.seesMeanwhile = () => chance(0.5);

  const got = new Set<number>();
  const wrong: string[] = [];
  let [offset, last] = ["-1", 0];
  /** Numbers that are skipped have to have expired. */
  const reach = (first: number) => {
    for (let seq = last + 1; seq < first; seq++) {
      if ((expiredAtMs.get(seq) ?? 0) > clock.now) wrong.push(`${seq} was skipped`);
    }
  };
  for (let reads = 0; reads < 300; reads++) {
    // It has lost its offset.
    if (chance(0.1)) [offset, last] = ["-1", 0];
    // It is away for a while.
    for (let steps = chance(0.3) ? below(30) : 0; steps > 0; steps--) step();
    const { statusCode, headers, body } = await ask({ offset });
    if (statusCode === 410) {
      ({ offset } = JSON.parse(body) as { offset: string });
      continue;
    }
    if (statusCode !== 200) throw new Error(`answered ${statusCode}: ${body}`);
    for (const { seq, id } of JSON.parse(body) as { seq: number; id: string }[]) {
      reach(seq);
      if (seq <= last) wrong.push(`${seq} came after ${last}`);
      if (id !== `m${seq}` && id !== "") wrong.push(`${seq} is ${id}`);
      got.add(seq);
      last = seq;
    }
    offset = headers["Stream-Next-Offset"] ?? "";
    const through = Number(offset.slice(0, 16));
    reach(through + 1);
    last = Math.max(last, through);
    if (stored === 40 && headers["Stream-Up-To-Date"] === "true" && through === newest) return { got, wrong, newest };
  }
  throw new Error(`the reader did not reach the end of the log: seed ${seed}`);
}

describe("a reader that follows the offsets", () => {
  it(`gets each message once and in order, except those that expire first, in ${RUNS} interleavings`, async () => {
    let [got, newest] = [0, 0];
    for (let seed = 1; seed <= RUNS; seed++) {
      const run = await follow(seed);
      expect(run.wrong, `seed ${seed}`).to.deep.equal([]);
      got += run.got.size;
      newest += run.newest;
    }
    expect(got, "some have expired, and most have not").to.be.within(newest / 2, newest - 1);
  });
});
