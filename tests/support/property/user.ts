import type { Gap, RelayMessage } from "../../../client";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import type { Connections } from "../../../handlers/sessions/sessionRow";
import type { Cursor } from "../../../protocol";
import type { FaultKind, Faults } from "./faults";
import type { Connection } from "./gateway";
import { RawDevice } from "./rawDevice";
import { type Relay, type RelayOptions, sessionKeyOf } from "./relay";
import type { Simulation } from "./simulation";
import { Tab } from "./tab";
import { type Handled, Viewer } from "./viewer";

export interface UserOptions extends Pick<RelayOptions, "retentionMs" | "maxConnectionMs"> {
  name: string;
  connections: Connections;
  /** Which clients the user has. */
  clients: "protocol" | "raw" | "both";
  /** Whether the user is sometimes away for longer than the retention. */
  staysAway: boolean;
  /** The average time between two events of the user. */
  calmMs: number;
  /** Called when the user opens a page. */
  onOpen(user: User): void;
  /** Whether the cursor is moved before the message is shown: a mistake. */
  movesTooEarly?: boolean;
}

/** Longer than a frame takes to arrive, a client waits for a missing number, or a message takes to be handled. */
const UNAWARE_MS = 20_000;

/** After that, the relay takes the user's ended connections for what they are, and nothing else posts. */
const ALONE_AFTER_MS = 90_000;

/** A raw client that is alone has got what it missed, however often its flush is retried. */
const FLUSHED_AFTER_MS = 120_000;

const CUTS: FaultKind[] = [
  "connection is half-open",
  "connection breaks",
  "connection breaks, and the client is not told",
];

/** A place where the user opens a page again and again; its cursor is kept. */
interface Page {
  readonly viewer: Viewer;
  tab: Tab | undefined;
  /** The last state that `watch` has seen, and since when. */
  watched: { state: string; sinceMs: number };
}

/**
 * A user with pages that store their cursors, raw clients, or both, who sometimes opens another page that has no cursor. Events and
 * faults come at any time. Everything that the pages show is checked at once.
 */
export class User {
  readonly key: SessionKey;
  readonly pages: Page[] = [];
  private readonly name: string;
  private raws: RawDevice[] = [];
  private readonly rawCount: number;
  private others: (Tab | RawDevice)[] = [];
  private isSettling = false;
  private muteAtMs = -Infinity;
  /** The user closes everything as soon as possible, and does nothing until then. */
  sleepsUntilMs = 0;
  isAsleep = false;
  /** Whether the user's clients are open and stay open. */
  isBack = false;

  constructor(
    private readonly simulation: Simulation,
    private readonly faults: Faults,
    private readonly relay: Relay,
    private readonly options: UserOptions,
  ) {
    this.name = options.name;
    this.key = sessionKeyOf(this.name);
    const { clients, connections } = options;
    const isAll = connections === "all";
    const pages = clients === "raw" ? 0 : isAll ? simulation.pick([1, 1, 2, 3]) : 1;
    for (let i = 0; i < pages; i++) this.addPage();
    // Where only one connection gets messages, another client takes the session from the page for a while.
    const isRivalOnly = clients === "protocol" || (!isAll && clients === "both");
    this.rawCount = isRivalOnly ? 0 : isAll ? simulation.pick([1, 1, 2, 3]) : 1;
  }

  /**
   * Whether the relay may not send to a connection of the user until it is replaced, although it is alive: another one has taken
   * its place, and the notice was lost; or the gateway called it gone, and it could not be closed.
   */
  private get isMute(): boolean {
    return this.relay.gateway.openOf(this.name).some(({ passes, mayBeMute }) => passes && mayBeMute);
  }

  /** Whether a connection was mute during the last minute. */
  get hasBeenMute(): boolean {
    if (this.isMute) this.muteAtMs = this.simulation.now;
    return this.simulation.now - this.muteAtMs < 60_000;
  }

  /** Acts until `settle` is called. */
  start(): void {
    this.simulation.start(async () => {
      while (!this.isBack) {
        await this.pauseAwake(5_000);
        for (const page of this.pages) this.watch(page);
      }
    });
    this.simulation.start(async () => {
      // Some users get messages before they first open a page.
      if (this.simulation.chance(0.5)) await this.away();
      this.openAll();
      for (;;) {
        await this.pauseAwake(this.simulation.exponential(this.options.calmMs));
        if (this.isSettling) break;
        if (this.sleepsUntilMs > this.simulation.now) await this.sleep();
        else await this.suffer();
      }
      if (this.options.clients === "raw") await this.finishRaw();
      this.isBack = true;
    });
  }

  /** Ends the user's faults; if a page has lost the session, it takes it back. */
  settle(): void {
    this.isSettling = true;
    this.relay.gateway.offline.delete(this.name);
    for (const { tab } of this.pages) tab?.takeBack();
  }

  private async pauseAwake(ms: number): Promise<void> {
    await this.simulation.pause(ms);
    while (this.isAsleep) await this.simulation.pause(3_600_000);
  }

  /** Detects a page that waits, over a working connection, for a message that will never be sent. */
  private watch(page: Page): void {
    const { simulation, relay, key, name, options } = this;
    const { cursor } = page.viewer;
    const open = relay.gateway.openOf(name);
    const connection = this.connectionOf(page, open);
    const isOnly = options.connections === "all" || open.length === 1;
    const done = relay.ledger.doneCursor(key);
    const isAhead = done !== undefined && (done.epoch !== cursor?.epoch || done.seq > cursor.seq);
    // Without a cursor, it starts after what is acknowledged.
    if (done && !cursor && relay.ledger.isAcknowledged({ key, stored: done })) return;
    const isBehind = connection && isOnly && connection.passes && !connection.mayBeMute && isAhead;
    const state = isBehind ? [connection.id, cursor?.seq, relay.gateway.resumes.get(connection.id)].join() : "";
    if (state !== page.watched.state || state === "") page.watched = { state, sinceMs: simulation.now };
    else if (simulation.now - page.watched.sinceMs > UNAWARE_MS) {
      relay.ledger.violated(`${name} has number ${cursor?.seq}, waits for ${done?.seq}, and neither is told nor asks`);
    }
  }

  private connectionOf({ tab }: Page, open: readonly Connection[]): Connection | undefined {
    if (tab?.client.state !== "connected") return undefined;
    return open.find(({ socket }) => tab.has(socket));
  }

  private async suffer(): Promise<void> {
    const { simulation, faults, relay, name, options } = this;
    const r = simulation.random();
    if (r < 0.4) {
      const connections = relay.gateway.openOf(name);
      if (connections.length > 0) relay.gateway.cut(simulation.pick(connections), simulation.pick(CUTS));
    } else if (r < 0.55) {
      await this.reload();
    } else if (r < 0.75) {
      await this.leave();
    } else if (r < 0.84) {
      await this.openAnother();
    } else if (r < 0.85) {
      await this.crowd();
    } else if (r < 0.87) {
      faults.count("user is disconnected by the backend");
      await relay.disconnectUser(name, simulation.pick([0, 5, 30]));
    } else if (r < 0.95) {
      faults.count("network is down");
      relay.gateway.offline.add(name);
      for (const connection of relay.gateway.openOf(name)) relay.gateway.cut(connection, simulation.pick(CUTS));
      // The pages stay open, and keep their cursors.
      const isLong = options.staysAway && simulation.chance(0.3);
      await simulation.pause(
        isLong ? options.retentionMs * simulation.between(0.8, 2) : simulation.between(1_000, 60_000),
      );
      relay.gateway.offline.delete(name);
    } else {
      for (const { tab } of this.pages) tab?.client.wake();
    }
  }

  private async sleep(): Promise<void> {
    const { simulation } = this;
    this.isAsleep = true;
    this.closeAll();
    await simulation.pause(this.sleepsUntilMs - simulation.now);
    this.isAsleep = false;
    this.openAll();
  }

  /** One of the user's clients ends without closing its connection, and begins anew. */
  private async reload(): Promise<void> {
    const { simulation, faults } = this;
    faults.count("page is reloaded without closing");
    const at = Math.floor(simulation.random() * (this.pages.length + this.raws.length));
    const page = this.pages[at];
    const raw = this.raws[at - this.pages.length];
    page?.tab?.crash();
    raw?.crash();
    if (simulation.chance(0.5)) await simulation.pause(simulation.between(0, 20_000));
    if (page) page.tab = this.open(page.viewer);
    else if (raw) this.raws[this.raws.indexOf(raw)] = this.openRaw();
  }

  /** All of the user's clients are closed for a while, or one of several. */
  private async leave(): Promise<void> {
    const { simulation } = this;
    const isAll = this.pages.length + this.raws.length === 1 || simulation.chance(0.5);
    const one = Math.floor(simulation.random() * (this.pages.length + this.raws.length));
    this.closeAll(isAll ? undefined : one);
    await this.away();
    this.openAll();
  }

  /** Closes all clients, or the one with this number. */
  private closeAll(one?: number): void {
    const { simulation } = this;
    const leaves = (each: Tab | RawDevice | undefined) => (simulation.chance(0.5) ? each?.close() : each?.crash());
    for (const [at, page] of this.pages.entries()) if (one === undefined || one === at) leaves(page.tab);
    for (const [at, raw] of this.raws.entries()) if (one === undefined || one === at + this.pages.length) leaves(raw);
  }

  /** Opens what is not open. */
  private openAll(): void {
    for (const page of this.pages) if (!page.tab?.isAlive) page.tab = this.open(page.viewer);
    this.raws = this.raws.filter(({ isAlive }) => isAlive);
    while (this.raws.length < this.rawCount) this.raws.push(this.openRaw());
  }

  private async away(): Promise<void> {
    const { simulation, faults, options } = this;
    if (this.isSettling) return;
    const isLong = options.staysAway && simulation.chance(0.5);
    faults.count(isLong ? "user is away for longer than the retention" : "user is away");
    await simulation.pause(isLong ? options.retentionMs * simulation.between(0.8, 2) : simulation.between(100, 90_000));
  }

  /** Opens another client for a while. A page without a cursor starts after the acknowledged messages. */
  private async openAnother(): Promise<void> {
    const { simulation, faults, options } = this;
    faults.count("another tab takes the session over");
    const isRaw = options.clients !== "protocol" && simulation.chance(0.5);
    const other = isRaw ? this.openRaw() : this.open();
    await simulation.pause(simulation.between(100, 40_000));
    if (simulation.chance(0.5)) other.close();
    else other.crash();
    if (simulation.chance(0.7)) await simulation.pause(simulation.between(0, 10_000));
    this.takeBack();
  }

  /** Opens more clients than one session may have. */
  private async crowd(): Promise<void> {
    const { simulation, faults, options } = this;
    if (options.connections === "newest") return;
    faults.count("an eleventh connection is opened");
    const isRaw = options.clients === "raw" || (options.clients === "both" && simulation.chance(0.3));
    for (let i = simulation.between(6, 13); i > 0; i--) {
      this.others.push(isRaw ? this.openRaw() : this.open());
      if (simulation.chance(0.5)) await simulation.pause(simulation.between(0, 2_000));
    }
    await simulation.pause(simulation.between(100, 90_000));
    for (const other of this.others) {
      if (simulation.chance(0.5)) other.close();
      else other.crash();
    }
    this.others = [];
    this.takeBack();
  }

  private takeBack(): void {
    for (const { tab } of this.pages) tab?.takeBack();
    // A raw client is not told that it has lost the session.
    if (this.options.connections === "all") return;
    for (const raw of this.raws) raw.crash();
    this.openAll();
  }

  /** A single raw client gets what was missed; then a page shows what no client has acknowledged. */
  private async finishRaw(): Promise<void> {
    const { simulation, relay, key, name } = this;
    for (const raw of this.raws) raw.close();
    await simulation.pause(ALONE_AFTER_MS);
    // While the gateway has a half-open one, it is the one that gets what was missed.
    while (relay.gateway.openOf(name).length > 0) await simulation.pause(5_000);
    this.raws = [this.openRaw()];
    const untilMs = simulation.now + FLUSHED_AFTER_MS;
    while (!relay.isFlushed(key)) {
      if (simulation.now > untilMs) throw relay.ledger.violated(`${name} has one raw client, which is not flushed`);
      await simulation.pause(1_000);
    }
    const page = this.addPage();
    page.tab = this.open(page.viewer);
  }

  private addPage(): Page {
    const { key, relay } = this;
    const viewer = relay.ledger.add(key, (name) => new Viewer(key, name, relay.ledger));
    const page = { viewer, tab: undefined, watched: { state: "", sinceMs: 0 } };
    this.pages.push(page);
    return page;
  }

  private openRaw(): RawDevice {
    this.options.onOpen(this);
    return new RawDevice(this.simulation, this.relay, this.name);
  }

  /** Opens a page, whose cursor is kept if it has a viewer. */
  private open(viewer?: Viewer): Tab {
    const { relay, simulation, options, name } = this;
    options.onOpen(this);
    let place: Cursor | undefined = viewer?.cursor;
    const judge = (kind: Handled["kind"], value: RelayMessage) => {
      const { ledger } = relay;
      const cursor = { epoch: value.epoch ?? "", seq: value.seq ?? 0 };
      const last = ledger.find(this.key, value.id ?? "");
      const covered = kind === "message" ? ledger.shownAs(last, value.body) : [{ seq: cursor.seq, message: last }];
      if (last.stored?.seq !== cursor.seq) ledger.violated(`${last.id} comes with number ${cursor.seq}`);
      const first = covered[0]?.seq ?? 0;
      const isNext = !place || (place.epoch === cursor.epoch && first <= place.seq + 1 && cursor.seq > place.seq);
      if (!isNext && !options.movesTooEarly) {
        ledger.violated(
          `${name} is shown ${first} to ${cursor.seq} after ${place?.seq} (${cursor.epoch}, ${place?.epoch})`,
        );
      }
      // Of an envelope that covers several numbers, it may have had some.
      const before = place?.epoch === cursor.epoch ? place.seq : 0;
      place = cursor;
      for (const { seq, message } of covered) {
        if (seq <= before && covered.length > 1) continue;
        message.handled = true;
        viewer?.handle(kind, message, { ...cursor, seq });
      }
    };
    const gap = (value: Gap) => {
      const { epoch, first } = value;
      place = epoch === undefined || first === 1 ? undefined : { epoch, seq: first - 1 };
      relay.ledger.missing(this.key, value, viewer);
      viewer?.gap(value, place);
    };
    const events = {
      begun: ({ epoch, seq }: Cursor) => {
        if (options.movesTooEarly && viewer) viewer.cursor = { epoch, seq };
      },
      handled: ({ kind, value }: Handled) => judge(kind, value),
      gap,
    };
    const { maxConnectionMs } = options;
    return new Tab(simulation, relay, { user: name, contextId: name, maxConnectionMs, cursor: place, events });
  }
}
