import type { Cursor } from "../protocol";
import { Acknowledger } from "./acknowledger";
import { STABLE_CONNECTION_MS } from "./backoff";
import { type PageEvent, surroundings, Timer } from "./clock";
import { ABNORMAL_CLOSURE, type EndDetail } from "./connection";
import { CursorStorage } from "./cursorStorage";
import { isCursor } from "./cursorStore";
import { Handover } from "./handover";
import { Inbox } from "./inbox";
import { Link } from "./link";
import type { Item } from "./messages";
import type { RelayClientOptions } from "./options";
import { type Settings, settingsOf } from "./settings";
import type { RelayState, StateDetail } from "./state";

/** A message sent to a replaced connection may still arrive; in retry mode the relay would not send it again. */
const LINGER_MS = 5_000;
/** Number of failed handshakes in a row before an error is reported. */
const REFUSALS_TO_REPORT = 3;
const PAGE_EVENTS = ["online", "pageshow", "pagehide", "visibilitychange", "freeze", "resume"];

/**
 * Stays connected to one session of a relay, and receives its messages in order, each once, across dropped connections.
 *
 * There are at most two connections: the active one and its replacement. Both feed one inbox, which drops duplicates: so a
 * replacement causes neither a gap nor a repeated message.
 */
export class RelayClient {
  private readonly settings: Settings;
  private readonly inbox: Inbox;
  private readonly handover: Handover;
  private readonly acknowledger: Acknowledger;
  private readonly storage: CursorStorage;
  private readonly retry: Timer;
  private readonly stable: Timer;
  private readonly linger: Timer;
  private current: RelayState = "closed";
  private active: Link | undefined;
  private candidate: Link | undefined;
  /** Set when the relay no longer knows the active connection: it is kept open until its replacement succeeds or fails. */
  private overtaken: Link | undefined;
  /** In retry mode: a replaced connection that is not closed yet. */
  private replaced: Link | undefined;
  private failures = 0;
  /** Number of handshakes that have failed since a connection was open. */
  private refusals = 0;
  private hasEverOpened = false;
  private isLoaded = false;
  /** Counts the calls of `connect`: work that an earlier call started is then ignored. */
  private run = 0;

  /** @throws RelayClientError, which names the option, its value and the allowed values. */
  constructor(options: RelayClientOptions) {
    const settings = (this.settings = settingsOf(options));
    this.inbox = new Inbox(settings.maxBufferedMessages, settings.from);
    this.handover = new Handover(settings, this.inbox, (callback, open) => this.handledItem(callback, open), this.wake);
    this.acknowledger = new Acknowledger(
      settings,
      (ack) => !!this.active?.hasNumbers && this.active.connection.send(ack),
    );
    this.storage = new CursorStorage(settings);
    this.retry = new Timer(settings.clock);
    this.stable = new Timer(settings.clock);
    this.linger = new Timer(settings.clock);
  }

  /** The current state; `onStateChange` reports changes. */
  get state(): RelayState {
    return this.current;
  }

  /**
   * All messages up to here are handled, or were acknowledged before; undefined until the relay has said so, and in retry mode.
   * With `onStream`, it does not pass the beginning of an open stream.
   */
  get cursor(): Cursor | undefined {
    return this.inbox.cursor;
  }

  /** Connects, and stays connected until `close()`. Takes the session back if another client has it. */
  connect(): void {
    if (this.current !== "closed" && this.current !== "superseded") return;
    const run = ++this.run;
    this.failures = this.refusals = 0;
    this.listen("addEventListener");
    this.setState("connecting");
    if (run !== this.run) return;
    if (this.isLoaded) return this.attempt();
    this.storage.load((stored) => {
      if (run !== this.run) return;
      this.isLoaded = true;
      this.handover.earlier = stored;
      const from = stored ?? this.settings.from;
      if (isCursor(from)) this.inbox.start({ epoch: from.epoch, seq: from.seq });
      this.attempt();
    });
  }

  /**
   * Call this when the network or the app may be back, or when you expect a message: a waiting client connects at once, and a
   * connected client checks its connection at once and, for a while, more often. In a browser, the page's events call it.
   */
  readonly wake = (): void => {
    if (this.retry.armed) this.attempt();
    else if (!this.candidate) this.active?.connection.heartbeat.doubt();
  };

  /** Acknowledges the handled messages now. Call it when an app goes to the background; in a browser, the page's events call it. */
  acknowledge(): void {
    this.acknowledger.flush();
  }

  /**
   * Acknowledges the handled messages, and closes the connection. Messages that have not reached `onMessage` yet arrive after the
   * next `connect()`; in retry mode they are still passed to `onMessage`, because the relay would not send them again.
   */
  close(): void {
    if (this.current === "closed") return;
    this.stop();
    this.handover.isPaused = this.inbox.known;
    this.inbox.start();
    this.setState("closed");
  }

  /** Closes all connections and clears all timers. */
  private stop(): void {
    this.run++;
    this.listen("removeEventListener");
    this.acknowledger.stop();
    for (const timer of [this.retry, this.stable, this.linger]) timer.clear();
    for (const link of [this.active, this.candidate, this.replaced]) link?.close();
    this.active = this.candidate = this.replaced = this.overtaken = undefined;
  }

  /** Whether an event goes to the window or to the document differs between browsers; handling it twice is harmless. */
  private listen(method: "addEventListener" | "removeEventListener"): void {
    for (const target of [surroundings, surroundings.document]) {
      for (const type of PAGE_EVENTS) target?.[method]?.(type, this.pageChanged);
    }
  }

  private readonly pageChanged = ({ type, persisted }: PageEvent): void => {
    const isHidden = type === "visibilitychange" && surroundings.document?.visibilityState === "hidden";
    if (isHidden || type === "pagehide" || type === "freeze") {
      this.acknowledge();
      this.active?.connection.heartbeat.calm();
      // Each page load has a pageshow, too.
    } else if (persisted !== false) this.wake();
  };

  private attempt(): void {
    this.retry.clear();
    this.handover.isPaused = false;
    const link: Link = new Link(this.settings, this.inbox, {
      ready: () => this.ready(link),
      arrived: (moreFollows) => this.handover.run(moreFollows),
      resumed: (cursor, ackSeconds) => this.acknowledger.resumed(cursor, ackSeconds),
      superseded: () => this.superseded(link),
      renewalDue: () => {
        if (link === this.active && !this.candidate && !this.retry.armed) this.attempt();
      },
      ended: (detail) => {
        this.ended(link, detail);
        // Last: the callback may close the client.
        this.countRefusal(link, detail);
      },
    });
    this.candidate = link;
    if (!this.active) this.setState("connecting");
    // The callback may have closed the client.
    if (this.candidate === link) link.connection.start();
  }

  private ready(link: Link): void {
    if (link !== this.candidate) return;
    const former = this.active;
    this.active = link;
    this.candidate = this.overtaken = undefined;
    if (former?.hasNumbers) former.close();
    else if (former) this.retire(former);
    this.stable.set(STABLE_CONNECTION_MS, () => (this.failures = 0));
    this.setState("connected", { delivery: link.hasNumbers ? "replay" : "retry" });
  }

  private retire(link: Link): void {
    this.replaced?.close();
    this.replaced = link;
    this.linger.set(LINGER_MS, () => link.close());
  }

  private superseded(link: Link): void {
    if (link === this.active && this.candidate) {
      // By its own replacement: the relay sends this before the handshake is complete.
      this.overtaken = link;
    } else if (link === this.active && this.retry.armed) {
      // By a replacement that failed.
      link.close();
      this.ended(link, { reason: "its replacement failed" });
    } else {
      this.stop();
      this.setState("superseded", { reason: "another client connected" });
    }
  }

  private ended(link: Link, detail: EndDetail): void {
    if (link === this.candidate) this.candidate = undefined;
    else if (link !== this.active) return;
    if (link === this.active || this.overtaken) {
      this.active?.close();
      this.active = this.overtaken = undefined;
      this.stable.clear();
    }
    if (this.candidate) return this.setState("connecting", detail);
    const delayMs = this.settings.backoffMs(this.failures);
    // If a replacement failed before, its pause continues.
    if (!this.retry.armed) {
      this.failures++;
      this.retry.set(delayMs, () => this.attempt());
    }
    if (!this.active) this.setState("waiting", { ...detail, delayMs });
  }

  private countRefusal({ hasOpened }: Link, { reason, closeCode, statusCode }: EndDetail): void {
    if (hasOpened) {
      this.hasEverOpened = true;
      this.refusals = 0;
      // Without a status, and if a connection has opened before, the network is most likely down.
    } else if (
      closeCode === ABNORMAL_CLOSURE &&
      (statusCode || !this.hasEverOpened) &&
      ++this.refusals === REFUSALS_TO_REPORT
    ) {
      this.settings.report(
        "refused",
        `no connection opens: ${reason}. Fix: look for "refused" in the log of connect; check url, token, allowedOrigins`,
      );
    }
  }

  private handledItem(callback: Item["callback"], open: string[]): void {
    const { handled, cursor } = this.inbox;
    if (handled && cursor) {
      // While messages come again, the stored value covers more of them.
      if (handled.seq >= (this.handover.earlier?.handled ?? 0)) {
        this.storage.write(open[0] ? { ...cursor, handled: handled.seq, open } : cursor);
      }
      this.acknowledger.handled(cursor, callback === "onGap");
    }
    this.active?.resumer.check();
    this.candidate?.resumer.check();
  }

  private setState(state: RelayState, detail: Partial<StateDetail> = {}): void {
    const previous = this.current;
    if (state === previous) return;
    this.current = state;
    this.handover.setLive(state === "connected");
    try {
      this.settings.onStateChange?.(state, { previous, ...detail });
    } catch (error) {
      this.settings.report("callback", "onStateChange failed", error);
    }
  }
}
