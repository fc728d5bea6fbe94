import { expect } from "chai";
import { listedOf } from "../../cli/sessions/listedSession";
import type { ListedConnection } from "../../handlers/operations/listUser";

const now = new Date("2026-11-25T12:00:00Z");
const seconds = now.getTime() / 1000;
const connection = (connectionId: string, given: Partial<ListedConnection> = {}): ListedConnection => ({
  callerId: "user#42",
  connectionId,
  connectedAt: now.getTime() - 60_000,
  expirationDate: seconds + 100,
  context: "chat#7",
  state: "live",
  ...given,
});
describe("the list of a user's sessions", () => {
  it("has one entry per connection with its state, in the order given", () => {
    const connections = [
      connection("live"),
      connection("old", { state: "superseded", connectedAt: now.getTime() - 120_000 }),
      connection("mute", { state: "without-session", connectedAt: now.getTime() - 150_000 }),
      connection("ended", { expirationDate: seconds, connectedAt: now.getTime() - 180_000 }),
      connection("token ended", { tokenExpiresAt: seconds, connectedAt: now.getTime() - 240_000 }),
    ];
    const { sessions } = listedOf({ sessions: [], connections }, now);
    expect(sessions.map(({ connectionId, state }) => [connectionId, state])).to.deep.equal([
      ["live", "live"],
      ["old", "superseded"],
      ["mute", "without-session"],
      ["ended", "expired"],
      ["token ended", "expired"],
    ]);
    expect(sessions[0]).to.deep.equal({
      state: "live",
      context: "chat",
      contextId: "7",
      connectionId: "live",
      connectedAt: "2026-11-25T11:59:00.000Z",
      expiresAt: "2026-11-25T12:01:40.000Z",
    });
    expect(sessions[4]?.tokenExpiresAt).to.equal("2026-11-25T12:00:00.000Z");
  });

  it("keeps the # of a contextId", () => {
    const { sessions } = listedOf({ sessions: [], connections: [connection("c", { context: "chat#7#8" })] }, now);
    expect(sessions[0]).to.include({ context: "chat", contextId: "7#8" });
  });

  it("has an active block, and not an expired one", () => {
    const none = { sessions: [], connections: [] };
    expect(listedOf({ ...none, blockedUntil: seconds + 1 }, now).blockedUntil).to.equal("2026-11-25T12:00:01.000Z");
    expect(listedOf({ ...none, blockedUntil: seconds }, now)).to.deep.equal({ sessions: [] });
  });
});
