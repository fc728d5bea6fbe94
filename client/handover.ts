import { parseStreamChunk, type StreamChunk } from "../protocol";
import { Timer } from "./clock";
import type { StoredCursor } from "./cursorStore";
import type { Inbox } from "./inbox";
import type { Item, StreamPiece } from "./messages";
import { settle } from "./settle";
import type { Settings } from "./settings";

/** Number of ended streams that are remembered: a late chunk of one must not begin it again. */
const MAX_ENDED = 1_000;

/** A stream whose end is not handled yet. */
interface Stream extends StreamPiece {
  /** The length of the text that is in order: that of the passed text and of `text`. */
  offset: number;
  /** Text that is in order, and has not been passed on. */
  text: string;
  /** Chunks that arrived before their turn. */
  readonly held: StreamChunk[];
  /** The number of its first message, or of the first one after a gap. Undefined in retry mode. */
  start: number | undefined;
  readonly timer: Timer;
}

/**
 * Passes the items of the inbox to the callbacks, one at a time. It puts the chunks of each stream into the order of their
 * offsets, joins them to pieces, and notices streams that do not go on.
 */
export class Handover {
  /** Whether pieces wait until the client connects again. */
  isPaused = false;
  /** What an earlier run of the program has handled after its cursor: the relay sends it again. */
  earlier: StoredCursor | undefined;
  /** In the order in which they began. */
  private readonly open = new Map<string, Stream>();
  /** Length of the text of streams that timed out; -1 for streams that are complete. */
  private readonly ended = new Map<string, number>();
  /** Streams with something to pass on, in the order in which it arrived. */
  private readonly ready = new Set<Stream>();
  private isLive = false;

  constructor(
    private readonly settings: Settings,
    private readonly inbox: Inbox,
    /** An item was handled, or has become part of a stream. `open`: the IDs of the open streams. */
    private readonly handled: (callback: Item["callback"], open: string[]) => void,
    /** Checks whether the connection is alive. */
    private readonly doubt: () => void,
  ) {}

  /** @param moreFollows Whether the rest of a frame follows: its chunks are to be in the same pieces. */
  run(moreFollows?: boolean): void {
    // A loop: with callbacks that return at once, a long page would be a deep recursion.
    while (!this.inbox.current) {
      const item = this.take(moreFollows);
      if (!item) return;
      let isAtOnce = true;
      const done = () => {
        this.done(item);
        if (!isAtOnce) this.run();
      };
      settle(
        () => this.call(item),
        done,
        (error) => {
          this.settings.report("callback", `${item.callback} failed; it counts as handled`, error);
          done();
        },
      );
      isAtOnce = false;
    }
  }

  /** Whether the client is connected: only then does a stream time out. */
  setLive(isLive: boolean): void {
    this.isLive = isLive;
    for (const stream of this.open.values()) this.later(stream);
  }

  /** The next item to hand over. Chunks become part of their streams; pieces come before the next message that is not a chunk. */
  private take(moreFollows?: boolean): Item | undefined {
    const { inbox } = this;
    for (let item; (item = inbox.ready[0]); this.done(item)) {
      const { callback, cursor, first, value } = item;
      const chunk = this.settings.onStream && callback === "onMessage" && parseStreamChunk(value.body);
      const { epoch, handled, open } = this.earlier ?? {};
      const isKnown = callback !== "onGap" && cursor && cursor.epoch === epoch && cursor.seq <= (handled as number);
      if (chunk && !(isKnown && !open?.includes(chunk.id))) this.accept(chunk, first);
      else if (!isKnown) break;
      inbox.take();
    }
    if (moreFollows && !inbox.ready[0]) return undefined;
    const [stream] = this.ready;
    if (stream && !this.isPaused) {
      this.ready.delete(stream);
      const { id, offset, text, status, reason } = stream;
      stream.text = "";
      const value = { id, offset: offset - text.length, text, status, reason };
      return (inbox.current = { callback: "onStream", value });
    }
    return inbox.take();
  }

  /** @param start The first number of its message. */
  private accept(chunk: StreamChunk, start: number | undefined): void {
    const { id, offset } = chunk;
    let stream = this.open.get(id);
    if (!stream) {
      const length = this.ended.get(id);
      // A late chunk, unless a stream that timed out goes on.
      if ((length ?? offset) !== offset) return;
      const timer = new Timer(this.settings.clock);
      stream = { id, offset: length ?? 0, text: "", status: "open", held: [], start, timer };
      this.open.set(id, stream);
    }
    // A chunk that arrives before its turn puts off the time-out only if it is the first.
    if (stream.held.push(chunk) === 1 || offset <= stream.offset) this.follow(stream);
  }

  private follow(stream: Stream): void {
    const { held } = stream;
    held.sort((a, b) => a.offset - b.offset);
    for (let next; stream.status === "open" && (next = held[0]) && next.offset <= stream.offset; held.shift()) {
      const { offset, text, end, reason } = next;
      const added = text.slice(stream.offset - offset);
      stream.text += added;
      stream.offset += added.length;
      stream.status = end ?? "open";
      stream.reason = reason;
      if (added || end) this.ready.add(stream);
    }
    this.later(stream);
  }

  /** Starts the time-out again. */
  private later(stream: Stream): void {
    const { timer, status } = stream;
    timer.clear();
    if (!this.isLive || status !== "open") return;
    const { streamTimeoutMs, heartbeatTimeoutMs } = this.settings;
    const checkMs = Math.min(heartbeatTimeoutMs, streamTimeoutMs / 2);
    timer.set(streamTimeoutMs - checkMs, () => {
      // It may be the connection that is dead, and not the backend: then the client is no longer connected.
      this.doubt();
      timer.set(checkMs, () => this.timedOut(stream));
    });
  }

  private timedOut(stream: Stream): void {
    const { inbox } = this;
    // Sorts what is held.
    this.follow(stream);
    if (inbox.missing || !inbox.idle) return;
    const [next] = stream.held;
    // Its beginning is lost: acknowledged by another client, or expired.
    if (next && !stream.offset) stream.offset = next.offset;
    else {
      stream.status = "timed-out";
      this.ready.add(stream);
    }
    this.follow(stream);
    this.run();
  }

  private done(item: Item): void {
    const { callback, value } = item;
    if (callback === "onGap") {
      // Its numbers may be given again.
      this.earlier = undefined;
      for (const stream of this.open.values()) stream.start = value.first;
    } else if (callback === "onStream" && value.status !== "open") {
      const { id, offset, text, status } = value;
      this.open.delete(id);
      this.ended.set(id, status === "timed-out" ? offset + text.length : -1);
      if (this.ended.size > MAX_ENDED) this.ended.clear();
    }
    this.inbox.done(item, this.open.values().next().value?.start);
    this.handled(callback, [...this.open.keys()]);
  }

  private call({ callback, value }: Item): void | PromiseLike<void> {
    const { settings } = this;
    // The type of the value is that of the callback's argument.
    if (settings[callback]) return settings[callback](value as never);
    if (callback === "onGap") {
      const { first, lost } = value;
      settings.report("gap", `messages are missing before number ${first} (${lost}); pass onGap to handle this`);
    }
  }
}
