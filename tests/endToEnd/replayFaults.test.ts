import { EventEmitter, once } from "node:events";
import { expect } from "chai";
import pLimit from "p-limit";
import type { RelayMessage } from "../../client";
import type { Cursor } from "../../protocol";
import { mulberry32 } from "../support/mulberry32";
import { ClientPage } from "./clientPage";
import { recipient, type Recipient, Relay } from "./relay";

/** Another order of events: REPLAY_SEED=1. */
const SEED = Number(process.env.REPLAY_SEED ?? 20_261_125);
const MESSAGES = 2_000;
const USERS = 12;
/** Published at a time, and before the next fault. */
const CHUNK = 10;
/** So far the publisher may be ahead of what is shown. */
const WINDOW = 200;

/** Somebody whose page keeps its cursor, whatever becomes of the page. */
class User {
  readonly to: Recipient = recipient();
  /** Bodies in the order of publishing, and in that of showing. */
  readonly published: string[] = [];
  readonly shown: string[] = [];
  readonly violations: string[] = [];
  cursor: Cursor | undefined;
  private page: ClientPage;

  constructor(
    private readonly relay: Relay,
    private readonly progress: EventEmitter,
  ) {
    this.page = this.open();
  }

  get state(): string {
    return this.page.client.state;
  }

  reload(): void {
    this.page.crash();
    this.page = this.open();
  }

  leave(): void {
    this.page.close();
  }

  comeBack(): void {
    this.page = this.open();
  }

  /** Another page takes the session over, without a cursor; then the first one is loaded again. */
  async openAnother(): Promise<void> {
    const settled = new EventEmitter();
    const other = new ClientPage(this.relay, this.to, {
      onMessage: () => undefined,
      onError: () => undefined,
      // Superseded where the first page, which was just reconnecting, came after it.
      onStateChange: (state) => (state === "connected" || state === "superseded") && settled.emit("state"),
    });
    await once(settled, "state");
    other.close();
    this.reload();
  }

  private open(): ClientPage {
    return new ClientPage(this.relay, this.to, {
      cursorStore: { get: () => this.cursor, set: () => undefined },
      // Before it has a cursor, another page may have acknowledged what this one has not shown.
      from: "oldest",
      onMessage: (message) => this.show(message),
      onGap: (gap) => void this.violations.push(`a gap: ${JSON.stringify(gap)}`),
      onError: ({ code, message }) => {
        // Functions that crash refuse handshakes, too.
        if (code !== "unavailable" && code !== "refused") this.violations.push(message);
      },
    });
  }

  private show({ epoch = "", seq = 0, body }: RelayMessage): void {
    const { epoch: before = epoch, seq: last = seq - 1 } = this.cursor ?? {};
    if (epoch !== before || seq !== last + 1) this.violations.push(`${seq} of ${epoch} after ${last} of ${before}`);
    if (this.shown.includes(body)) this.violations.push(`${body} twice`);
    this.cursor = { epoch, seq };
    this.shown.push(body);
    this.progress.emit("shown");
  }
}

describe(`replay on the local parts, with ${MESSAGES} messages and everything that goes wrong`, function () {
  // Fourteen times what it takes on two idle cores: it takes five times as long when eight processes share each.
  this.timeout(360_000);
  const random = mulberry32(SEED);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const progress = new EventEmitter();
  const counts: Record<string, number> = {};
  let users: User[] = [];
  let relay: Relay;

  before(async () => {
    // Ten attempts, as the stack dev has, are over within two seconds of this time: a busy machine would dead-letter messages.
    relay = await Relay.start(["-c", "delivery=replay", "-c", "maxAttempts=500", "--time-scale", "60"]);
    users = Array.from({ length: USERS }, () => new User(relay, progress));
  });
  after(async () => {
    users.forEach((user) => user.leave());
    await relay?.stop();
  });

  const total = (of: "published" | "shown") => users.reduce((sum, user) => sum + user[of].length, 0);
  const untilShown = async (count: number) => {
    while (total("shown") < count) await once(progress, "shown");
  };
  const connection = async (path: "half-open" | "drop") => {
    const open = (await relay.controlled<{ id: string; state: string }[]>("/connections")).filter(
      ({ state }) => state === "open",
    );
    // It may have ended meanwhile.
    if (open.length > 0) await relay.control(`/connections/${pick(open).id}/${path}`).catch(() => undefined);
  };
  const faults: Record<string, () => Promise<void> | void> = {
    "half-open": () => connection("half-open"),
    drop: () => connection("drop"),
    "disconnects lost": () => relay.fault({ disconnects: "lose", times: 3 }),
    "answers 410": () => relay.fault({ management: 410, times: 3 }),
    "answers 429": () => relay.fault({ management: 429, times: 3 }),
    "answers 500": () => relay.fault({ management: 500, times: 3 }),
    ...Object.fromEntries(
      ["connect", "disconnect", "deliver", "resume", "acknowledge"].map((name) => [
        `${name} crashes`,
        () => relay.fault({ crash: name, times: 1 }),
      ]),
    ),
    // Between the writes of a batch: written items remain, and the batch is retried.
    "deliver crashes between two writes": async () => {
      await relay.fault({ table: "hold-answers", after: Math.floor(random() * 3) });
      await relay.fault({ crash: "deliver", times: 1 });
      await publish(pick(users), 3);
      await relay.fault({ table: "release" });
    },
    "reloaded page": () => pick(users).reload(),
    "another page": () => pick(users).openAnother(),
    "user away": async () => {
      const user = pick(users);
      user.leave();
      await publish(user, 5);
      user.comeBack();
    },
  };

  const publish = async (user: User, count: number) => {
    const bodies = Array.from({ length: Math.min(count, MESSAGES - total("published")) }, () => {
      const body = `message ${total("published")}`;
      user.published.push(body);
      return body;
    });
    const twice = bodies.filter(() => random() < 0.05);
    counts["published twice"] = (counts["published twice"] ?? 0) + twice.length;
    await pLimit(5).map([...bodies, ...twice], (body) => relay.publish({ ...user.to, messageId: body }, body));
  };

  it("loses none, shows none twice, and all in order", async () => {
    while (total("published") < MESSAGES) {
      for (let i = 0; i < CHUNK; i += 5) await publish(pick(users), 5);
      const kind = pick(Object.keys(faults));
      counts[kind] = (counts[kind] ?? 0) + 1;
      await faults[kind]?.();
      await untilShown(total("published") - WINDOW);
    }
    await untilShown(MESSAGES);
    await relay.untilQueueIsEmpty();
    console.log(JSON.stringify({ messages: MESSAGES, seed: SEED, faults: counts }));

    expect(users.flatMap(({ violations }) => violations)).to.deep.equal([]);
    for (const { shown, published } of users) expect([...shown].sort()).to.deep.equal([...published].sort());
    expect(Object.keys(faults).filter((kind) => !counts[kind])).to.deep.equal([]);
  });

  afterEach(function () {
    if (this.currentTest?.state !== "failed") return;
    for (const { violations } of users) violations.forEach((each) => console.error(each));
    for (const { to, shown, published, state, cursor } of users) {
      const missing = published.filter((body) => !shown.includes(body));
      if (missing.length === 0) continue;
      console.error(to.user, "misses", missing.join(), "and is", state, "at", cursor);
      // What the functions said of the first of them.
      const about = relay.logs.filter(({ messageId }) => messageId === missing[0]);
      about.slice(-20).forEach((line) => console.error(JSON.stringify(line)));
    }
  });
});
