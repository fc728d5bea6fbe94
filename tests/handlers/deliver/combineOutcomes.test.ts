import { expect } from "chai";
import { combineOutcomes, type ConnectionOutcome } from "../../../handlers/deliver/combineOutcomes";
import { NOT_REACHED } from "../../../handlers/deliver/outcome";

const accepted = (atMs = 1): ConnectionOutcome => ({ kind: "accepted", atMs });
const taken: ConnectionOutcome = { kind: "taken" };
const ended = (reason = "connection-gone"): ConnectionOutcome => ({ kind: "ended", reason });
const failed = (reason = "throttled"): ConnectionOutcome => ({ kind: "failed", reason });
const late: ConnectionOutcome = { kind: "late", reason: "expired" };
const refused: ConnectionOutcome = { kind: "refused", reason: "payload-too-large" };

/** Of c1, c2 and so on, in this order. */
const combined = (outcomes: ConnectionOutcome[], wasTaken = false) =>
  combineOutcomes(new Map(outcomes.map((outcome, index) => [`c${index + 1}`, outcome])), wasTaken);

describe("combineOutcomes", () => {
  for (const [name, outcomes, result, wasTaken = false] of [
    ["no connection", [], "absent: no-session"],
    ["no connection that is left, after one took it", [], "delivered", true],
    ["one that accepted it", [accepted()], "delivered"],
    ["one that took it before", [taken], "delivered", true],
    ["all that accepted it or took it before", [accepted(), taken, accepted()], "delivered", true],
    ["one that accepted it and one that ended", [ended(), accepted()], "delivered"],
    ["one that ended, after another took it", [ended()], "delivered", true],
    ["one that ended", [ended()], "absent: connection-gone"],
    ["those that ended, by the one that followed", [ended(), ended("token-expired")], "absent: token-expired"],
    ["one that failed", [failed("timeout")], "failed: timeout"],
    ["one that failed and one that accepted it", [accepted(), failed()], "failed: throttled"],
    ["one that failed and one that took it before", [failed(), taken], "failed: throttled", true],
    ["one that failed and one that ended", [ended(), failed()], "failed: throttled"],
    ["two that failed, by the newer one", [failed("timeout"), failed()], "failed: timeout"],
    ["two that failed, by a reason of its own", [failed("held-back: timeout"), failed()], "failed: throttled"],
    ["two that failed, not by a busy one", [failed("raw-busy"), failed()], "failed: throttled"],
    ["one that is busy and one that is held back", [failed("raw-busy"), failed("held-back: a")], "failed: raw-busy"],
    ["one that is busy", [accepted(), failed("raw-busy")], "failed: raw-busy"],
    ["one that was not reached", [NOT_REACHED], "not-reached: not-reached"],
    ["one that was not reached and one that failed", [NOT_REACHED, failed()], "failed: throttled"],
    ["one that was not reached and one that accepted it", [accepted(), NOT_REACHED], "not-reached: not-reached"],
    ["one that it was too late for", [late], "late: expired"],
    ["one that it was too late for, and one that failed", [failed(), late], "late: expired"],
    ["one that it was too late for, and one that accepted it", [accepted(), late], "late: expired"],
    ["one that refused it", [refused], "refused: payload-too-large"],
    ["one that refused it, whatever the others say", [failed(), late, refused], "refused: payload-too-large"],
    ["one that refused it, and one that accepted it", [accepted(), refused], "refused: payload-too-large"],
  ] as [string, ConnectionOutcome[], string, boolean?][]) {
    it(`combines ${name}${wasTaken ? ", at a later attempt" : ""}`, () => {
      const { result: got } = combined(outcomes, wasTaken);
      expect("reason" in got ? `${got.kind}: ${got.reason}` : got.kind).to.equal(result);
    });
  }

  for (const [name, outcomes, wasTaken, expected] of [
    ["nothing where none took it", [failed(), ended()], false, { missedBy: ["c1"] }],
    ["nothing of connections that are over", [ended()], false, {}],
    [
      "which took it now, when the last did, and which did not",
      [accepted(5), failed(), accepted(9), NOT_REACHED, late, refused, ended()],
      false,
      { isTaken: true, acceptedBy: ["c1", "c3"], acceptedAtMs: 9, missedBy: ["c2", "c4", "c5", "c6"] },
    ],
    ["that one has it which took it before", [taken, failed()], true, { isTaken: true, missedBy: ["c2"] }],
    ["that one has it which is over", [failed()], true, { isTaken: true, missedBy: ["c1"] }],
  ] as [string, ConnectionOutcome[], boolean, object][]) {
    it(`says ${name}`, () => {
      expect(combined(outcomes, wasTaken).taken).to.deep.equal(expected);
    });
  }
});
