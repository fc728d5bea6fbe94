import type { Gap, RelayMessage } from "../../../client";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import type { Cursor } from "../../../protocol";
import type { FaultKind, Faults } from "./faults";
import { type Relay, type RelayOptions, sessionKeyOf } from "./relay";
import type { Simulation } from "./simulation";
import { Tab } from "./tab";

export interface UserOptions extends Pick<RelayOptions, "retentionMs" | "maxConnectionMs"> {
  name: string;
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

const CUTS: FaultKind[] = [
  "connection is half-open",
  "connection breaks",
  "connection breaks, and the client is not told",
];

/**
 * A user whose first page stores its cursor, and who sometimes opens another page that has none. Events and faults come at any
 * time. Everything that the first page shows is checked at once.
 */
export class User {
  readonly key: SessionKey;
  private readonly name: string;
  private page: Tab | undefined;
  /** As the page stores it, in one transaction with the messages it has shown. */
  private cursor: Cursor | undefined;
  private isSettling = false;
  private muteAtMs = -Infinity;
  /** The last state that `watch` has seen, and since when. */
  private watched = { state: "", sinceMs: 0 };
  /** The user closes the page as soon as possible, and does nothing until then. */
  sleepsUntilMs = 0;
  isAsleep = false;
  /** Whether the user's page is open and stays open. */
  isBack = false;

  constructor(
    private readonly simulation: Simulation,
    private readonly faults: Faults,
    private readonly relay: Relay,
    private readonly options: UserOptions,
  ) {
    this.name = options.name;
    this.key = sessionKeyOf(this.name);
  }

  /**
   * Whether the relay may not send to the user's connection until it is replaced, although it is alive: another one has taken the
   * session over, and the notice was lost; or the gateway called it gone, and it could not be closed.
   */
  private get isMute(): boolean {
    return this.relay.gateway.openOf(this.name).some(({ passes, mayBeMute }) => passes && mayBeMute);
  }

  /** Whether the connection was mute during the last minute. */
  get hasBeenMute(): boolean {
    if (this.isMute) this.muteAtMs = this.simulation.now;
    return this.simulation.now - this.muteAtMs < 60_000;
  }

  /** Acts until `settle` is called. */
  start(): void {
    this.simulation.start(async () => {
      while (!this.isBack) {
        await this.pauseAwake(5_000);
        this.watch();
      }
    });
    this.simulation.start(async () => {
      // Some users get messages before they first open a page.
      if (this.simulation.chance(0.5)) await this.away();
      this.page = this.open(true);
      for (;;) {
        await this.pauseAwake(this.simulation.exponential(this.options.calmMs));
        if (this.isSettling) break;
        if (this.sleepsUntilMs > this.simulation.now) await this.sleep();
        else await this.suffer();
      }
      this.isBack = true;
    });
  }

  /** Ends the user's faults; if the page has lost the session, it takes it back. */
  settle(): void {
    this.isSettling = true;
    this.relay.gateway.offline.delete(this.name);
    this.page?.takeBack();
  }

  private async pauseAwake(ms: number): Promise<void> {
    await this.simulation.pause(ms);
    while (this.isAsleep) await this.simulation.pause(3_600_000);
  }

  /** Detects a page that waits, over a working connection, for a message that will never be sent. */
  private watch(): void {
    const { simulation, relay, key, name, page, cursor } = this;
    const [connection, ...others] = relay.gateway.openOf(name);
    const isOwn =
      connection && others.length === 0 && page?.client.state === "connected" && page.has(connection.socket);
    const done = relay.ledger.doneCursor(key);
    const isAhead = done !== undefined && (done.epoch !== cursor?.epoch || done.seq > cursor.seq);
    const isBehind = isOwn && connection.passes && !connection.mayBeMute && isAhead;
    const state = isBehind ? [connection.id, cursor?.seq, relay.gateway.resumes.get(name)].join() : "";
    if (state !== this.watched.state || state === "") this.watched = { state, sinceMs: simulation.now };
    else if (simulation.now - this.watched.sinceMs > UNAWARE_MS) {
      relay.ledger.violated(`${name} has number ${cursor?.seq}, waits for ${done?.seq}, and neither is told nor asks`);
    }
  }

  private async suffer(): Promise<void> {
    const { simulation, faults, relay, name } = this;
    const r = simulation.random();
    if (r < 0.4) {
      const connections = relay.gateway.openOf(name);
      if (connections.length > 0) relay.gateway.cut(simulation.pick(connections), simulation.pick(CUTS));
    } else if (r < 0.55) {
      faults.count("page is reloaded without closing");
      this.page?.crash();
      if (simulation.chance(0.5)) await simulation.pause(simulation.between(0, 20_000));
      this.page = this.open(true);
    } else if (r < 0.75) {
      await this.leave();
    } else if (r < 0.85) {
      await this.openAnother();
    } else if (r < 0.95) {
      faults.count("network is down");
      relay.gateway.offline.add(name);
      for (const connection of relay.gateway.openOf(name)) relay.gateway.cut(connection, simulation.pick(CUTS));
      // The page stays open, and keeps its cursor.
      const isLong = this.options.staysAway && simulation.chance(0.3);
      await simulation.pause(
        isLong ? this.options.retentionMs * simulation.between(0.8, 2) : simulation.between(1_000, 60_000),
      );
      relay.gateway.offline.delete(name);
    } else {
      this.page?.client.wake();
    }
  }

  private async sleep(): Promise<void> {
    const { simulation } = this;
    this.isAsleep = true;
    if (simulation.chance(0.5)) this.page?.close();
    else this.page?.crash();
    await simulation.pause(this.sleepsUntilMs - simulation.now);
    this.isAsleep = false;
    this.page = this.open(true);
  }

  private async leave(): Promise<void> {
    if (this.simulation.chance(0.5)) this.page?.close();
    else this.page?.crash();
    await this.away();
    this.page = this.open(true);
  }

  private async away(): Promise<void> {
    const { simulation, faults, options } = this;
    if (this.isSettling) return;
    const isLong = options.staysAway && simulation.chance(0.5);
    faults.count(isLong ? "user is away for longer than the retention" : "user is away");
    await simulation.pause(isLong ? options.retentionMs * simulation.between(0.8, 2) : simulation.between(100, 90_000));
  }

  /** Opens another page, which takes the session over for a while. Without a cursor, it starts after the acknowledged messages. */
  private async openAnother(): Promise<void> {
    const { simulation, faults } = this;
    // Otherwise the first page, which has no cursor either, would start after what the other one has acknowledged.
    if (!this.cursor) return;
    faults.count("another tab takes the session over");
    const other = this.open(false);
    await simulation.pause(simulation.between(100, 40_000));
    if (simulation.chance(0.5)) other.close();
    else other.crash();
    if (simulation.chance(0.7)) await simulation.pause(simulation.between(0, 10_000));
    this.page?.takeBack();
  }

  private open(isFirst: boolean): Tab {
    const { relay, simulation, options, name } = this;
    options.onOpen(this);
    let place: Cursor | undefined = isFirst ? this.cursor : undefined;
    const move = (cursor: Cursor | undefined) => {
      place = cursor;
      if (isFirst) this.cursor = cursor;
    };
    const judge = (kind: "message" | "expired", value: RelayMessage) => {
      const cursor = { epoch: value.epoch ?? "", seq: value.seq ?? 0 };
      if (place && (place.epoch !== cursor.epoch || place.seq + 1 !== cursor.seq) && !options.movesTooEarly) {
        relay.ledger.violated(`${name} is shown ${cursor.seq} after ${place.seq} (${cursor.epoch}, ${place.epoch})`);
      }
      move(cursor);
      const message = relay.ledger.find(this.key, value.id ?? "");
      message.handled = true;
      if (kind === "message" && value.body !== message.body) relay.ledger.violated(`${message.id} has another body`);
      if (message.stored?.seq !== cursor.seq) relay.ledger.violated(`${message.id} comes with number ${cursor.seq}`);
      if (!isFirst) return;
      if (kind === "message") message.shown += 1;
      else message.toldExpired += 1;
      if (message.shown + message.toldExpired > 1) relay.ledger.violated(`${message.id} is shown twice`);
    };
    const gap = (value: Gap) => {
      if (isFirst) relay.ledger.missing(this.key, value);
      move(value.epoch === undefined || value.first === 1 ? undefined : { epoch: value.epoch, seq: value.first - 1 });
    };
    const events = {
      begun: ({ epoch, seq }: Cursor) => {
        if (options.movesTooEarly && isFirst) this.cursor = { epoch, seq };
      },
      handled: ({ kind, value }: { kind: "message" | "expired"; value: RelayMessage }) => judge(kind, value),
      gap,
    };
    const { maxConnectionMs } = options;
    return new Tab(simulation, relay, { user: name, contextId: name, maxConnectionMs, cursor: place, events });
  }
}
