import { expect } from "chai";
import type { Segment } from "../../../handlers/history/history";
import {
  hasEnded,
  openEntriesOf,
  pastTheirOwnExpiry,
  planVisit,
  type Visited,
} from "../../../handlers/history/planVisit";
import { MIN_VISIT_GAP_MS, REPORT_GRACE_MS } from "../../../handlers/history/retention";
import { segmentOf } from "../sweepers/segments";
import { messagesOf, now } from "./segments";

const retentionMs = 3_600_000;
const time = { retentionMs, nowMs: now };
const soonestMs = now + MIN_VISIT_GAP_MS;

/** A segment whose messages are to be reported so many milliseconds from now. */
function dueIn(inMs: number, first: number, given: Partial<Segment> = {}): Segment {
  return segmentOf(first, 2, now + inMs - retentionMs - REPORT_GRACE_MS, retentionMs, { isMarked: false, ...given });
}

const unmarked = { isMarked: false, dueAtMs: now };

describe("planVisit", () => {
  const cases: [what: string, visited: Partial<Visited> & Pick<Visited, "marked" | "tail">, plan: object][] = [
    (() => {
      const tail = dueIn(0, 1, { isMarked: true, dueAtMs: now });
      return ["seals a tail that has ended and brought the visit", { marked: tail, tail }, { do: "seal" }];
    })(),
    [
      "does not seal a tail by another segment: the tail brings a visit of its own, a minute later",
      { marked: dueIn(-5, 1), tail: dueIn(0, 3, unmarked) },
      { do: "mark", segment: dueIn(0, 3, unmarked), dueAtMs: soonestMs },
    ],
    [
      "plans nothing where the tail is sealed",
      { marked: dueIn(-9, 1), tail: dueIn(-5, 3, { ttlMs: undefined }) },
      { do: "nothing" },
    ],
    [
      "comes when the tail is to be sealed, if every message is acknowledged or reported",
      { marked: dueIn(-5, 1), tail: dueIn(900_000, 3, unmarked) },
      { do: "mark", segment: dueIn(900_000, 3, unmarked), dueAtMs: now + 900_000 },
    ],
    [
      "comes when the oldest open message is to be reported, by its segment",
      { marked: dueIn(-5, 1), tail: dueIn(900_000, 9, unmarked), open: dueIn(300_000, 5) },
      { do: "mark", segment: dueIn(300_000, 5), dueAtMs: now + 300_000 },
    ],
    [
      "comes at the earliest a minute later",
      { marked: dueIn(-5, 1), tail: dueIn(900_000, 9, unmarked), open: dueIn(1, 5) },
      { do: "mark", segment: dueIn(1, 5), dueAtMs: soonestMs },
    ],
    (() => {
      const tail = dueIn(900_000, 1, { isMarked: true, dueAtMs: now });
      return [
        "marks the tail again if it brought the visit",
        { marked: tail, tail },
        { do: "mark", segment: tail, dueAtMs: now + 900_000 },
      ];
    })(),
    (() => {
      const open = dueIn(300_000, 1, { isMarked: true, dueAtMs: now });
      const tail = dueIn(900_000, 9, unmarked);
      return [
        "marks the segment again if it has the oldest open message",
        { marked: open, open, tail },
        { do: "mark", segment: open, dueAtMs: now + 300_000 },
      ];
    })(),
    ...(
      [
        ["is marked as early", { isMarked: true, dueAtMs: now + 300_000 }, true],
        ["is marked, and due already", { isMarked: true, dueAtMs: now - 1 }, true],
        ["has carried on a time as early, of another segment", { isMarked: false, dueAtMs: now + 300_000 }, true],
        ["has carried on a time that has passed", { isMarked: false, dueAtMs: now }, false],
        ["has carried on a later time", { isMarked: false, dueAtMs: now + 300_001 }, false],
        ["is marked later, and leaves its mark alone", { isMarked: true, dueAtMs: now + 300_001 }, false],
      ] as const
    ).map(([what, mark, isPlanned]): [string, Visited, object] => {
      const open = dueIn(300_000, 5, unmarked);
      return [
        `plans ${isPlanned ? "nothing" : "a visit"} where the tail ${what}`,
        { marked: dueIn(-5, 1), tail: dueIn(900_000, 9, mark), open, doneThrough: 0 },
        isPlanned ? { do: "nothing" } : { do: "mark", segment: open, dueAtMs: now + 300_000 },
      ];
    }),
    [
      "plans nothing where the segment of the oldest open message is marked: its due time is not moved",
      { marked: dueIn(-5, 1), tail: dueIn(900_000, 9, unmarked), open: dueIn(300_000, 5, { isMarked: true }) },
      { do: "nothing" },
    ],
    (() => {
      const messages = messagesOf(1, 2, { expiresAtMs: now + 120_000 });
      const marked = dueIn(300_000, 1, { messages, isMarked: true });
      const tail = dueIn(900_000, 9, { isMarked: true });
      return [
        "marks the segment again for its own next expiry, whatever else is planned",
        { marked, open: marked, tail },
        { do: "mark", segment: marked, dueAtMs: now + 120_000 + REPORT_GRACE_MS },
      ];
    })(),
    (() => {
      const messages = messagesOf(5, 2, { expiresAtMs: now + 120_000 });
      const marked = dueIn(300_000, 5, { messages, isMarked: true });
      return [
        "marks it as early as an older message needs",
        { marked, open: dueIn(90_000, 3), tail: dueIn(900_000, 9, unmarked) },
        { do: "mark", segment: marked, dueAtMs: now + 90_000 },
      ];
    })(),
    (() => {
      const messages = messagesOf(1, 2, { expiresAtMs: now + 120_000 });
      const tail = dueIn(900_000, 9, unmarked);
      return [
        "does not come for the own expiry of what is acknowledged",
        { marked: dueIn(300_000, 1, { messages }), tail, doneThrough: 2 },
        { do: "mark", segment: tail, dueAtMs: now + 900_000 },
      ];
    })(),
    (() => {
      const messages = messagesOf(1, 2, { expiresAtMs: now + 9_000_000 });
      const tail = dueIn(900_000, 9, unmarked);
      const marked = dueIn(300_000, 1, { messages, isMarked: true });
      return [
        "does not come for an own expiry after the retention",
        { marked, open: marked, tail },
        { do: "mark", segment: marked, dueAtMs: now + 300_000 },
      ];
    })(),
  ];
  for (const [what, visited, plan] of cases) {
    it(what, () => {
      expect(planVisit({ open: undefined, doneThrough: 0, ...visited }, time)).to.deep.equal(plan);
    });
  }

  describe("where messages wait for five minutes", () => {
    const waitingAfterMs = 300_000;
    const waitingTime = { ...time, waitingAfterMs };
    const storedAgo = (first: number, agoMs: number, given: Partial<Segment> = {}) =>
      segmentOf(first, 2, now - agoMs, retentionMs, { ...unmarked, ...given });
    const [marked, open, tail] = [storedAgo(5, 310_000), storedAgo(1, 900_000), storedAgo(9, 1_000)];
    const young = storedAgo(7, 200_000);
    const planned = (given: Partial<Visited>) =>
      planVisit({ marked, open, tail, doneThrough: 0, ...given }, waitingTime);

    it("comes for the next receipt, by the segment of its message", () => {
      expect(planned({ young })).to.deep.equal({ do: "mark", segment: young, dueAtMs: now + 100_000 });
    });

    it("comes for it a minute later at the earliest", () => {
      const soon = storedAgo(7, 290_000);
      expect(planned({ young: soon })).to.deep.equal({ do: "mark", segment: soon, dueAtMs: soonestMs });
    });

    it("comes for it by the tail, or by the segment that brought the visit, if these have the message", () => {
      expect(planned({ marked: tail, young: tail })).to.deep.equal({
        do: "mark",
        segment: tail,
        dueAtMs: now + 299_000,
      });
      expect(planned({ marked: young, young })).to.deep.equal({ do: "mark", segment: young, dueAtMs: now + 100_000 });
    });

    it("comes for a report if that is sooner", () => {
      const ending = segmentOf(1, 2, now - retentionMs - REPORT_GRACE_MS + 80_000, retentionMs, unmarked);
      expect(planned({ open: ending, young })).to.deep.equal({ do: "mark", segment: ending, dueAtMs: now + 80_000 });
    });

    for (const [what, given, isPlanned] of [
      ["the message's segment is marked", { young: { ...young, isMarked: true } }, true],
      ["the tail has carried on a visit as early", { tail: { ...tail, dueAtMs: now + 100_000 }, young }, true],
      ["the tail has carried on a later visit", { tail: { ...tail, dueAtMs: now + 100_001 }, young }, false],
      ["a segment that was read is due as early", { young, otherDueAtMs: now + 100_000 }, true],
      ["a segment that was read is due later", { young, otherDueAtMs: now + 100_001 }, false],
      ["a segment that was read is due already: its visit may rely on this one", { young, otherDueAtMs: now }, false],
    ] as [string, Partial<Visited>, boolean][]) {
      it(`plans ${isPlanned ? "nothing" : "a visit"} if ${what}`, () => {
        expect(planned(given).do).to.equal(isPlanned ? "nothing" : "mark");
      });
    }

    for (const [what, laterDueAtMs, isPlanned] of [
      ["comes in time", now + 1, true],
      ["has come", now, false],
      ["comes after the tail is to be sealed", now + retentionMs + REPORT_GRACE_MS, false],
    ] as const) {
      it(`plans ${isPlanned ? "nothing" : "a visit"} for the seal if the later visit that the tail knows of ${what}`, () => {
        const only = { ...tail, laterDueAtMs };
        const plan = planned({ marked: only, open: undefined, tail: only });
        expect(plan.do).to.equal(isPlanned ? "nothing" : "mark");
      });
    }
  });

  it("goes by the retention of today where it has become shorter", () => {
    const tail = segmentOf(1, 1, now - retentionMs - REPORT_GRACE_MS, 2 * retentionMs, { dueAtMs: now });
    expect(planVisit({ marked: tail, tail, open: tail, doneThrough: 0 }, time)).to.deep.equal({ do: "seal" });
    expect(
      planVisit({ marked: tail, tail, open: tail, doneThrough: 0 }, { ...time, retentionMs: 2 * retentionMs }),
    ).to.deep.include({
      dueAtMs: now + retentionMs,
    });
  });
});

describe("a segment", () => {
  it("has ended once its messages and the grace for a last acknowledgement are over", () => {
    expect([dueIn(1, 1), dueIn(0, 1)].map((segment) => hasEnded(segment, time))).to.deep.equal([false, true]);
  });

  it("has open messages where they are neither acknowledged nor reported", () => {
    const segment = dueIn(0, 11, { count: 4, messages: messagesOf(11, 4), reported: [2] });
    const open = (doneThrough: number) => openEntriesOf(segment, doneThrough).map(({ seq }) => seq);
    expect([open(0), open(11), open(12), open(14)]).to.deep.equal([[11, 12, 14], [12, 14], [14], []]);
    expect(openEntriesOf(dueIn(0, 1, { messages: [], ttlMs: undefined }), 0)).to.deep.equal([]);
  });

  it("has messages past their own expiry only before it ends: then they are reported in their order", () => {
    const messages = [-1, 0, 1]
      .map((ms) => now - REPORT_GRACE_MS + ms)
      .map((expiresAtMs, i) => ({ id: `m${i}`, body: "b", expiresAtMs }));
    const past = (inMs: number, doneThrough: number) =>
      pastTheirOwnExpiry(dueIn(inMs, 1, { count: 3, messages }), doneThrough, time).map(({ seq }) => seq);
    expect([past(1, 0), past(1, 1), past(0, 0)]).to.deep.equal([[1, 2], [2], []]);
  });
});
