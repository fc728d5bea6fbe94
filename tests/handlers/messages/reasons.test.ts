import { expect } from "chai";
import { isUserAway, REASONS } from "../../../handlers/messages/reasons";

describe("isUserAway", () => {
  it("is true of the reasons that only say that the user was away, and of no other", () => {
    expect(Object.values(REASONS).filter(isUserAway)).to.have.members([
      "no-session",
      "session-expired",
      "token-expired",
      "subprotocol-changed",
      "connection-gone",
      "expired",
    ]);
  });

  it("is true of a message that was held back if it is of the cause", () => {
    expect(isUserAway("held-back: connection-gone")).to.equal(true);
    expect(isUserAway("held-back: held-back: no-session")).to.equal(true);
    expect(isUserAway("held-back: throttled")).to.equal(false);
    expect(isUserAway("held-back: unusable-attribute: no-session")).to.equal(false);
    expect(isUserAway("held-back")).to.equal(false);
  });

  it("is false of an unknown reason, which then is one to fix", () => {
    for (const reason of ["", "constructor", "no-sessions", "unusable-attribute: expired"]) {
      expect(isUserAway(reason), reason).to.equal(false);
    }
  });
});
