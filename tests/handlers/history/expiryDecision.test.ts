import { expect } from "chai";
import { expiryDecision } from "../../../handlers/history/expiryDecision";
import { GRACE_MS } from "../../../handlers/history/retention";
import { entryOf, now } from "./storedEntries";

const retentionMs = 3_600_000;
const ripe = now - retentionMs - GRACE_MS;
const end = (storedAtMs: number) => storedAtMs + retentionMs + GRACE_MS;
const acknowledged = { epoch: "e", seq: 5 };

describe("fateOf", () => {
  for (const [name, given, circumstances, expected] of [
    ["unseen and older than the retention", { storedAtMs: ripe }, {}, { report: "retention", then: { do: "delete" } }],
    ["acknowledged and older", { storedAtMs: ripe }, { acknowledged }, { then: { do: "delete" } }],
    ["reported before and older", { storedAtMs: ripe, body: undefined }, {}, { then: { do: "delete" } }],
    [
      "acknowledged in another epoch and older",
      { storedAtMs: ripe },
      { acknowledged: { epoch: "d", seq: 5 } },
      { report: "retention", then: { do: "delete" } },
    ],
    [
      "older than the retention and than its own time",
      { storedAtMs: ripe, expiresAtMs: ripe + 1 },
      {},
      { report: "expires-at", then: { do: "delete" } },
    ],
    [
      "older than the retention, and than its own time after that",
      { storedAtMs: ripe, expiresAtMs: ripe + retentionMs + 1 },
      {},
      { report: "retention", then: { do: "delete" } },
    ],
    [
      "the newest, unseen and older",
      { storedAtMs: ripe },
      { tailSeq: 5 },
      { report: "retention", then: { do: "strip", dueAtMs: undefined } },
    ],
    [
      "the newest, acknowledged and older",
      { storedAtMs: ripe },
      { tailSeq: 5, acknowledged },
      { then: { do: "strip", dueAtMs: undefined } },
    ],
    [
      "the newest of what could be read, though it is there",
      { storedAtMs: ripe },
      { tailSeq: 0 },
      { report: "retention", then: { do: "strip", dueAtMs: undefined } },
    ],
    [
      "past its own time only",
      { storedAtMs: now - 1_000, expiresAtMs: now },
      {},
      { report: "expires-at", then: { do: "strip", dueAtMs: end(now - 1_000) } },
    ],
    [
      "past its own time only, and acknowledged",
      { storedAtMs: now - 1_000, expiresAtMs: now },
      { acknowledged },
      { then: { do: "strip", dueAtMs: end(now - 1_000) } },
    ],
    [
      "past its own time only, and reported before",
      { storedAtMs: now - 1_000, expiresAtMs: now, body: undefined },
      {},
      { then: { do: "strip", dueAtMs: end(now - 1_000) } },
    ],
    ["within the grace", { storedAtMs: ripe + 1 }, {}, { then: { do: "postpone", dueAtMs: now + 1 } }],
    [
      "due by a shorter retention, with its own time to come",
      { storedAtMs: now - 1_000, expiresAtMs: now + 1 },
      {},
      { then: { do: "postpone", dueAtMs: now + 1 } },
    ],
  ] as const) {
    it(`is ${JSON.stringify(expected)} of one that is ${name}`, () => {
      const known = { tailSeq: 9, acknowledged: undefined, retentionMs, nowMs: now, ...circumstances };
      expect(expiryDecision(entryOf(5, given), known)).to.deep.equal(expected);
    });
  }
});
