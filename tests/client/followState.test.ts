import { expect } from "chai";
import { followState, type FollowStateOptions, RelayClientError, type Snapshot } from "../../client";
import type { Cursor } from "../../protocol";
import { answer, ClientSetUp, cursor, message, resumeAfter } from "./clientSetUp";

type Loaded = Snapshot<string, number>;

/** A client that follows a state; `loads` answers `getState`. */
class Following extends ClientSetUp {
  readonly calls: string[];
  readonly failures: RelayClientError[];

  constructor(loads: (Loaded | Error | Promise<Loaded>)[], options: Partial<FollowStateOptions<string>> = {}) {
    const calls: string[] = [];
    const failures: RelayClientError[] = [];
    const late: { setUp?: ClientSetUp } = {};
    super({
      ...followState<string>({
        getState: () => {
          calls.push("getState");
          const next = loads.shift() ?? new Error("no more");
          // Before a promise, and as one.
          if (next instanceof Error && calls.length === 1) throw next;
          if (next instanceof Error) return Promise.reject(next);
          return next;
        },
        applyState: (state) => void calls.push(`state ${state}`),
        applyUpdate: ({ body }, version) => void calls.push(`update ${version} ${body}`),
        versionOf: ({ id }) => (id?.startsWith("v") ? Number(id.slice(1)) : undefined),
        onError: (error) => void failures.push(error),
        clock: {
          now: () => 0,
          setTimeout: (callback, delayMs) => late.setUp?.clock.setTimeout(callback, delayMs),
          clearTimeout: (handle) => late.setUp?.clock.clearTimeout(handle),
        },
        random: () => 0.5,
        ...options,
      }),
    });
    late.setUp = this;
    [this.calls, this.failures] = [calls, failures];
  }

  /** Loads the state, connects, and has resumed after `seq`. */
  async begin(seq: number): Promise<void> {
    this.client.connect();
    await this.clock.advance(0);
    this.accepted(seq);
    this.calls.length = 0;
  }
}

const at = (version: number, position?: Cursor): Loaded => ({ state: `s${version}`, version, position });
const update = (seq: number, version: number) => message(seq, { id: `v${version}`, body: `to ${version}` });

describe("followState, played", () => {
  it("loads the state, then requests the messages after its position, and applies those that are newer", async () => {
    const setUp = new Following([at(3, cursor(7))]);
    setUp.client.connect();
    await setUp.clock.advance(0);
    expect(setUp.calls).to.deep.equal(["getState", "state s3"]);
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(7)]);
    setUp.socket.receive(...answer({ first: 8, through: 7, newest: 10 }), update(8, 3), update(9, 4), update(10, 2));
    await setUp.clock.advance(0);
    expect(setUp.calls.slice(2)).to.deep.equal(["update 4 to 4"]);
  });

  it("requests all messages of a session that had none", async () => {
    for (const position of [undefined, null]) {
      const setUp = new Following([{ state: "s", version: 1, position }]);
      setUp.client.connect();
      await setUp.clock.advance(0);
      setUp.socket.accept();
      expect(setUp.socket.take("resume")).to.deep.equal([{ action: "resume", from: "oldest" }]);
    }
  });

  it("opens no connection before a state is loaded, tries again after growing pauses, and reports each failure", async () => {
    const failing = { state: "bad", version: 1 };
    const setUp = new Following([new Error("busy"), new Error("busy"), failing, at(5, cursor(1))], {
      applyState: (state) => {
        if (state === "bad") throw new Error("cannot show it");
      },
    });
    setUp.client.connect();
    await setUp.clock.advance(499);
    expect([setUp.calls.length, setUp.sockets.all.length]).to.deep.equal([1, 0]);
    await setUp.clock.advance(1);
    expect(setUp.calls).to.have.lengthOf(2);
    await setUp.clock.advance(1_000);
    expect(setUp.calls).to.have.lengthOf(3);
    await setUp.clock.advance(2_000);
    expect([setUp.calls.length, setUp.sockets.all.length]).to.deep.equal([4, 1]);
    expect(setUp.failures.map(({ code }) => code)).to.deep.equal(["state", "state", "state"]);
    expect(setUp.failures[0]).to.be.instanceOf(RelayClientError);
    expect((setUp.failures[0]?.cause as Error).message).to.equal("busy");
  });

  it("stops trying once it is aborted, and applies nothing", async () => {
    const signal = { aborted: false };
    const setUp = new Following([], { signal });
    setUp.client.connect();
    await setUp.clock.advance(100);
    signal.aborted = true;
    setUp.client.close();
    await setUp.clock.advance(1_000_000);
    expect([setUp.calls, setUp.clock.pending, setUp.sockets.all.length]).to.deep.equal([["getState"], 0, 0]);
  });

  it("loads the state again on a gap, while messages wait", async () => {
    let loaded: (snapshot: Loaded) => void = () => undefined;
    const setUp = new Following([at(3, cursor(1)), new Promise((resolve) => (loaded = resolve))]);
    await setUp.begin(1);
    setUp.socket.end();
    await setUp.clock.advance(1_000);
    setUp.socket.accept();
    setUp.socket.receive(...answer({ first: 5, through: 4, newest: 6, recovered: false, lost: "expired" }));
    setUp.socket.receive(update(5, 8), update(6, 9));
    await setUp.clock.advance(500);
    expect(setUp.calls).to.deep.equal(["getState"]);
    loaded(at(8, cursor(5)));
    await setUp.clock.advance(0);
    expect(setUp.calls).to.deep.equal(["getState", "state s8", "update 9 to 9"]);
  });

  it("loads the state again where an update expired, unless the state has it", async () => {
    const setUp = new Following([at(3, cursor(1)), at(5, cursor(4))]);
    await setUp.begin(1);
    const expired = (seq: number) => message(seq, { body: undefined, expired: true });
    setUp.socket.receive(expired(2), expired(3), update(4, 5));
    await setUp.clock.advance(0);
    expect(setUp.calls).to.deep.equal(["getState", "state s5"]);
  });

  it("loads the state again if an update could not be applied, and reports that", async () => {
    const setUp = new Following([at(3, cursor(1)), at(4, cursor(2))], {
      applyUpdate: () => Promise.reject(new Error("no")),
    });
    await setUp.begin(1);
    setUp.socket.receive(update(2, 4));
    await setUp.clock.advance(0);
    expect(setUp.calls).to.deep.equal(["getState", "state s4"]);
    expect(setUp.errorCodes).to.deep.equal(["callback"]);
  });

  it("compares the versions of each part, from those of the state on", async () => {
    const versions: Record<string, number> = { a: 3 };
    const load = { state: "s", version: (part: string) => versions[part], position: cursor(0) };
    const setUp = new Following([load], { partOf: ({ body }) => body });
    await setUp.begin(0);
    const of = (seq: number, part: string, version: number) => message(seq, { id: `v${version}`, body: part });
    setUp.socket.receive(of(1, "a", 3), of(2, "b", 1), of(3, "a", 4), of(4, "b", 1), of(5, "a", 4), of(6, "b", 2));
    await setUp.clock.advance(0);
    expect(setUp.calls).to.deep.equal(["update 1 b", "update 4 a", "update 2 b"]);
  });

  it("takes versions of any type", async () => {
    const applied: string[] = [];
    const following = followState<null, string>({
      getState: () => ({ state: null, version: "v9" }),
      applyState: () => undefined,
      applyUpdate: (_, version) => void applied.push(version),
      versionOf: ({ body }) => body,
      compare: (a, b) => Number(a.slice(1)) - Number(b.slice(1)),
    });
    const setUp = new ClientSetUp(following);
    setUp.client.connect();
    await setUp.clock.advance(0);
    setUp.accepted(0).receive(message(1, { body: "v8" }), message(2, { body: "v10" }), message(3, { body: "v10" }));
    await setUp.clock.advance(0);
    expect(applied).to.deep.equal(["v10"]);
  });

  it("passes on messages that are not updates, once a state is loaded", async () => {
    const others: string[] = [];
    const setUp = new Following([at(3, cursor(0))], { onOther: ({ body }) => void others.push(body) });
    await setUp.begin(0);
    setUp.socket.receive(message(1), update(2, 4));
    await setUp.clock.advance(0);
    expect([others, setUp.calls]).to.deep.equal([["m1"], ["update 4 to 4"]]);
  });
});
