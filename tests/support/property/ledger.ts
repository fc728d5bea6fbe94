import { ENDANGERED_MS, MIN_VISIT_GAP_MS, REPORT_GRACE_MS, ttlSlackMs } from "../../../handlers/history/retention";
import { REASONS } from "../../../handlers/messages/reasons";
import { sessionId, type SessionKey } from "../../../handlers/sessions/sessionKey";
import { type Cursor, parseStreamChunk, type Receipt } from "../../../protocol";
import type { Gap } from "../../../client";
import type { Invocation } from "./invocation";
import type { Simulation } from "./simulation";

/** An outcome that must never happen; the message names it. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** A protocol client that keeps its cursor, as the ledger sees it. */
export interface View {
  hasMet(message: Published): boolean;
  /** It was told that the message is missing. */
  misses(message: Published): void;
  /** The messages that it has not seen, and was not told of. */
  lacking(): Published[];
  readonly name: string;
}

/** A message as the backend published it, and its history since. */
export interface Published {
  readonly key: SessionKey;
  /** The publisher's `messageId`, or the queue's id. */
  readonly id: string;
  readonly body: string;
  readonly expiresAtMs: number | undefined;
  readonly publishedAtMs: number;
  /** Its position in the log. */
  stored?: Cursor & { atMs: number };
  /** Whether a client with a stored cursor has shown it, or was told that it has expired. */
  isShown: boolean;
  isToldExpired: boolean;
  inGap: boolean;
  isDeleted: boolean;
  /** Whether it was deleted without a report because the sweeper was down. */
  isLost: boolean;
  /** Whether any protocol client has handled it. */
  handled: boolean;
  /** The raw connections for which the gateway has accepted it, each with the invocation that posted it last. */
  readonly acceptedBy: Map<string, Invocation>;
  /** Whether one of these connections was not half-open. */
  hasArrived: boolean;
  /** Whether it was retried for some connections. */
  isPartial: boolean;
  /** The copies that are in the queue. */
  copies: number;
  /** Whether the queue has deleted a copy that was not redelivered once more because of the number of its attempts. */
  isExhausted: boolean;
  readonly receipts: Set<Receipt["status"]>;
  readonly letters: string[];
}

/** The numbers given in one epoch. */
export interface Sequence {
  readonly epoch: string;
  readonly first: number;
  readonly messages: Published[];
  /** How many of them are acknowledged. */
  acknowledged: number;
}

/** One session's numbers, and its acknowledgements. */
interface Numbers {
  readonly sequences: Sequence[];
  /** The clients with stored cursors. */
  readonly viewers: View[];
  /** When the newest message expires, in epoch milliseconds. */
  untilMs: number;
  /** Whether a client may have been told of a gap although no message was lost. */
  wasEndangered: boolean;
  readonly acknowledged: (Cursor & { atMs: number })[];
  /** The newest message that the queue has deleted because its client has it or will ask for it. */
  done: Cursor | undefined;
}

/** Reasons for which the relay cannot know that a message was taken, nor store it. */
const FAULTS = [
  "expired",
  REASONS.historyUnavailable,
  REASONS.historyContended,
  REASONS.sessionStoreUnavailable,
  REASONS.internalError,
  REASONS.timeout,
  REASONS.notReached,
];

/** Allows for the difference of two clocks, and for the time between reading a clock and acting on it. */
const TOLERANCE_MS = 60_000;

/**
 * Records everything that is published, and checks everything that is done with it:
 *
 * - Numbers: none is used twice, none is left out, and a message has one.
 * - Every message is, in the end, shown by a protocol client, accepted by the gateway for a raw connection, acknowledged by some
 *   client of its session, reported as expired, or dead-lettered with a reason. See `open`.
 * - Each protocol client that stays sees every message after its own cursor, in order, and none twice. See `Viewer`.
 * - `acknowledged` passes no message that no client has taken, and covers nothing that is reported as expired.
 * - Receipts are true: `delivered` if a client has handled the message, `accepted` if the gateway has accepted it for a raw client.
 *
 * `RawRules` has the invariants of raw connections.
 */
export class Ledger {
  readonly messages = new Map<string, Published>();
  private readonly sessions = new Map<string, Numbers>();
  /** Called when the queue has deleted a copy. */
  onDone: (message: Published) => void = () => undefined;
  /** Called when a message is dead-lettered that the relay could post. */
  onDeadLettered: (message: Published, reason: string) => void = () => undefined;
  /** Whether the sweeper was down for days. */
  wasSweeperDown = false;
  /** How often a client got several messages as one. */
  joined = 0;

  constructor(
    private readonly simulation: Simulation,
    private readonly retentionMs: number,
  ) {}

  publish(key: SessionKey, id: string, body: string, expiresAtMs: number | undefined): Published {
    const message: Published = {
      key,
      id,
      body,
      expiresAtMs,
      publishedAtMs: this.simulation.now,
      isShown: false,
      isToldExpired: false,
      inGap: false,
      isDeleted: false,
      isLost: false,
      handled: false,
      acceptedBy: new Map<string, Invocation>(),
      hasArrived: false,
      isPartial: false,
      copies: 0,
      isExhausted: false,
      receipts: new Set<Receipt["status"]>(),
      letters: [],
    };
    this.messages.set(idOf(key, id), message);
    return message;
  }

  /** A dead letter without a `messageId` is in the queue again, with another id. */
  redriven(key: SessionKey, id: string, sqsId: string): void {
    this.messages.set(idOf(key, sqsId), this.find(key, id));
  }

  find(key: SessionKey, id: string): Published {
    const message = this.messages.get(idOf(key, id));
    if (!message) throw this.violated(`${id} was never published to ${key.context}`);
    return message;
  }

  /**
   * The messages that a client was shown as one, with their numbers: chunks of one stream that the relay has joined, up to this
   * message. Their texts must be the shown one.
   */
  shownAs(message: Published, body: string): { seq: number; message: Published }[] {
    const { key, id, stored } = message;
    const shown = parseStreamChunk(body);
    if (body === message.body || !shown || !stored) {
      if (body !== message.body) this.violated(`${id} has another body`);
      return [{ seq: stored?.seq ?? 0, message }];
    }
    this.joined += 1;
    const sequences = this.of(key).sequences.slice(
      0,
      this.of(key).sequences.findIndex(({ epoch }) => epoch === stored.epoch) + 1,
    );
    const covered: { seq: number; message: Published }[] = [];
    for (let { seq } = stored; ; seq--) {
      const holding = sequences.findLast(({ first }) => first <= seq);
      const each = holding?.messages[seq - holding.first];
      const chunk = parseStreamChunk(each?.body ?? "");
      if (!each || chunk?.id !== shown.id || chunk.offset < shown.offset) {
        throw this.violated(`${id} is shown with text that its stream does not have`);
      }
      covered.unshift({ seq, message: each });
      if (chunk.offset === shown.offset) break;
    }
    const text = covered.map((each) => parseStreamChunk(each.message.body)?.text).join("");
    const isSame = text === shown.text && parseStreamChunk(message.body)?.end === shown.end;
    if (!isSame) this.violated(`${id} is shown with another text, joined of ${covered.length} messages`);
    return covered;
  }

  stored(key: SessionKey, { epoch, seq }: Cursor, id: string, body: string | undefined, untilMs: number): void {
    const numbers = this.of(key);
    const message = this.find(key, id);
    const at = `${id} at ${epoch} ${seq}`;
    const last = numbers.sequences.at(-1);
    const next = last ? last.first + last.messages.length : 1;
    if (last?.epoch === epoch) {
      if (seq !== next) this.violated(`a hole, or a number given twice: ${at}, before ${next}`);
      last.messages.push(message);
    } else {
      numbers.wasEndangered ||= last !== undefined;
      if (last && !this.isEndangered(numbers)) this.violated(`the sequence begins anew: ${at}, after ${last.epoch}`);
      if (numbers.sequences.some((each) => each.epoch === epoch)) this.violated(`an epoch is used again: ${at}`);
      const newest = Math.max(0, ...numbers.sequences.map((each) => each.first + each.messages.length - 1));
      if (seq > newest + 1) this.violated(`a hole: ${at}, after ${newest}`);
      numbers.sequences.push({ epoch, first: seq, messages: [message], acknowledged: 0 });
    }
    if (message.stored) this.violated(`a second number: ${at}, after ${message.stored.seq}`);
    if (body !== message.body) this.violated(`another body than was published: ${at}`);
    message.stored = { epoch, seq, atMs: this.simulation.now };
    numbers.untilMs = Math.max(numbers.untilMs, untilMs);
  }

  /** A message's segment is deleted. Only if the sweeper was down may the message be unreported. */
  deleted(key: SessionKey, id: string, wasSweeperDown: boolean): void {
    const message = this.find(key, id);
    const { receipts, stored } = message;
    const numbers = this.of(key);
    if (numbers.done === stored) numbers.done = undefined;
    message.isDeleted = true;
    if (
      receipts.has("delivered") ||
      receipts.has("expired") ||
      (stored && this.acknowledgedAtMs(key, stored) !== undefined)
    )
      return;
    if (!wasSweeperDown) this.violated(`${id} is deleted, and was neither acknowledged nor reported`);
    message.isLost = true;
  }

  /** The queue has deleted a message. */
  done(key: SessionKey, id: string): void {
    this.onDone(this.find(key, id));
    const { stored, letters: deadLetters, expiresAtMs, isDeleted, isExhausted } = this.find(key, id);
    const numbers = this.of(key);
    // A message that was dead-lettered or may have expired is not posted at once.
    if (!stored || isDeleted || deadLetters.length > 0 || isExhausted || expiresAtMs !== undefined) return;
    if (numbers.done?.epoch !== stored.epoch || numbers.done.seq < stored.seq) numbers.done = stored;
  }

  /** The newest message that the session's client has, or will ask for. */
  doneCursor(key: SessionKey): Cursor | undefined {
    return this.of(key).done;
  }

  acknowledged(key: SessionKey, { epoch, seq }: Cursor, by: "protocol" | "raw"): void {
    const numbers = this.of(key);
    const sequence = numbers.sequences.find((each) => each.epoch === epoch);
    if (!sequence || seq >= sequence.first + sequence.messages.length) {
      throw this.violated(`${seq} of ${epoch} is acknowledged, and was never stored`);
    }
    for (let at = sequence.acknowledged; at <= seq - sequence.first && !numbers.wasEndangered; at++) {
      const message = sequence.messages[at] as Published;
      const isOwed = by === "protocol" ? !isKnown(message) : !isTaken(message);
      if (isOwed) this.violated(`${message.id} is acknowledged by a cursor, and no client has taken it`);
    }
    sequence.acknowledged = Math.max(sequence.acknowledged, seq - sequence.first + 1);
    numbers.acknowledged.push({ epoch, seq, atMs: this.simulation.now });
  }

  receipt({ status, messageId, user, context, contextId }: Receipt, askedAtMs: number): void {
    const message = this.find({ callerId: `user#${user}`, context: `${context}#${contextId}` }, messageId);
    if (status === "delivered" && !message.handled) {
      this.violated(`${messageId} is said to be delivered, and no client has handled it`);
    }
    if (status === "accepted" && message.acceptedBy.size === 0) {
      this.violated(`${messageId} is said to be accepted, and no raw connection has got it`);
    }
    if (status === "expired") this.expired(message, askedAtMs);
    message.receipts.add(status);
  }

  letter(key: SessionKey, id: string, body: string, reason: string | undefined): void {
    const message = this.find(key, id);
    if (!reason) this.violated(`${id} is dead-lettered without a reason`);
    if (body !== message.body) this.violated(`${id} is dead-lettered with another body`);
    if (!FAULTS.some((fault) => reason?.endsWith(fault))) this.onDeadLettered(message, reason ?? "");
    message.letters.push(reason ?? "");
  }

  /** A client that keeps its cursor. */
  add<V extends View>(key: SessionKey, viewerNamed: (name: string) => V): V {
    const { viewers } = this.of(key);
    const viewer = viewerNamed(`client ${viewers.length} of ${key.callerId}`);
    viewers.push(viewer);
    return viewer;
  }

  /** The session's messages in order. */
  sequencesOf(key: SessionKey): readonly Sequence[] {
    return this.of(key).sequences;
  }

  wasEndangered(key: SessionKey): boolean {
    const numbers = this.of(key);
    return (numbers.wasEndangered ||= this.isEndangered(numbers));
  }

  /** Numbers that a client was told are missing. */
  missing(key: SessionKey, { lost, after, first, epoch }: Gap, viewer: View | undefined): void {
    const numbers = this.of(key);
    const { sequences } = numbers;
    const isEndangered = (numbers.wasEndangered ||= this.isEndangered(numbers));
    const from = sequences.findIndex((each) => each.epoch === after?.epoch);
    // If the whole log was deleted, its epoch is unknown.
    const to =
      epoch === undefined && isEndangered ? sequences.length : sequences.findIndex((each) => each.epoch === epoch);
    const isNewEpoch = lost === "epoch" && after !== undefined && from < to;
    const isExpired = lost === "expired" && (after === undefined || from === to) && first > (after?.seq ?? 0) + 1;
    // The last segment was deleted, and an earlier one was not.
    const isAhead = lost === "ahead" && after !== undefined && from === to && isEndangered;
    if (to === -1 || (after && from === -1) || (!isNewEpoch && !isExpired && !isAhead)) {
      this.violated(`a gap that cannot be (${lost}): ${after?.seq} of ${after?.epoch} to ${first} of ${epoch}`);
    }
    for (const [index, sequence] of sequences.entries()) {
      if (index < from || index > to) continue;
      for (const [position, message] of sequence.messages.entries()) {
        const { id, stored } = message;
        const seq = sequence.first + position;
        if ((index === from && seq <= (after?.seq ?? 0)) || (index === to && seq >= first)) continue;
        const isOld = stored && stored.atMs + this.retentionMs <= this.simulation.now + TOLERANCE_MS;
        // Messages that were stored after the log was found empty reach the client.
        if (!isOld && epoch === undefined) continue;
        if (!isOld) this.violated(`${id} is said to be missing, and is within the retention`);
        if (viewer?.hasMet(message) && !numbers.wasEndangered)
          this.violated(`${id} is said to be missing, and was shown`);
        message.inGap = true;
        viewer?.misses(message);
      }
    }
  }

  /** The outcome that the message still lacks; undefined if none. */
  open(message: Published): string | undefined {
    const { key, stored, inGap, isLost, receipts, letters } = message;
    if (isLost) return undefined;
    if (receipts.size === 0) return "no receipt";
    if (!stored) return letters.length > 0 ? undefined : "neither stored nor dead-lettered";
    if (isTaken({ ...message, inGap: false }) || this.acknowledgedAtMs(key, stored) !== undefined) return undefined;
    return inGap ? "missing, and not reported" : `number ${stored.seq} is neither taken nor reported`;
  }

  isAcknowledged({ key, stored }: { key: SessionKey; stored?: Cursor }): boolean {
    return stored !== undefined && this.acknowledgedAtMs(key, stored) !== undefined;
  }

  /** The latest time from storing a message to reporting it as expired: two runs of the sweeper may be needed. */
  get sweptAfterMs(): number {
    return this.retentionMs + REPORT_GRACE_MS + MIN_VISIT_GAP_MS + 2 * 60_000;
  }

  /** Ends the run, even from within a handler that survives every fault. */
  violated(what: string): Violation {
    const violation = new Violation(what);
    this.simulation.fail(violation);
    return violation;
  }

  private expired(message: Published, askedAtMs: number): void {
    const { id, key, stored, expiresAtMs } = message;
    const acknowledgedAtMs = stored && this.acknowledgedAtMs(key, stored);
    // If later segments are deleted and this one is not, nothing says that the acknowledged epoch came after its own.
    const isKnown = !this.of(key).wasEndangered;
    if (isKnown && acknowledgedAtMs !== undefined && acknowledgedAtMs < askedAtMs) {
      this.violated(`${id} is acknowledged, and reported expired`);
    }
    const expiredAtMs = Math.min((stored?.atMs ?? Infinity) + this.retentionMs, expiresAtMs ?? Infinity);
    if (expiredAtMs > this.simulation.now + TOLERANCE_MS) this.violated(`${id} is reported expired before its time`);
  }

  /** Whether the sweeper was down for so long that the last segment was about to be deleted, or was. */
  private isEndangered({ untilMs }: Numbers): boolean {
    return (
      this.wasSweeperDown && this.simulation.now > untilMs + ttlSlackMs(this.retentionMs) - ENDANGERED_MS - TOLERANCE_MS
    );
  }

  private acknowledgedAtMs(key: SessionKey, { epoch, seq }: Cursor): number | undefined {
    return this.of(key).acknowledged.find((each) => each.epoch === epoch && each.seq >= seq)?.atMs;
  }

  private of(key: SessionKey): Numbers {
    const numbers = this.sessions.get(sessionId(key)) ?? {
      sequences: [],
      viewers: [],
      untilMs: 0,
      wasEndangered: false,
      acknowledged: [],
      done: undefined,
    };
    this.sessions.set(sessionId(key), numbers);
    return numbers;
  }
}

/** Whether a client has it, or was told why not. A message past its own expiry may only be told with the next number. */
function isKnown({ handled, isToldExpired, inGap, acceptedBy, receipts, expiresAtMs }: Published): boolean {
  const isOwnExpiry = expiresAtMs !== undefined && receipts.has("expired");
  return handled || isToldExpired || inGap || acceptedBy.size > 0 || isOwnExpiry;
}

/** Whether a client has it, or was told why not, or the backend was. */
function isTaken(message: Published): boolean {
  return isKnown(message) || message.receipts.has("expired") || message.isDeleted;
}

function idOf(key: SessionKey, id: string): string {
  return `${sessionId(key)} ${id}`;
}
