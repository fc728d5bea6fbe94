import { ENDANGERED_MS, MIN_VISIT_GAP_MS, REPORT_GRACE_MS, ttlSlackMs } from "../../../handlers/history/retention";
import { sessionId, type SessionKey } from "../../../handlers/sessions/sessionKey";
import type { Cursor, Receipt } from "../../../protocol";
import type { Gap } from "../../../client";
import type { Simulation } from "./simulation";

/** An outcome that must never happen; the message names it. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** A message as the backend published it, and its history since. */
export interface Published {
  readonly key: SessionKey;
  /** The publisher's `messageId`, or the queue's id. */
  readonly id: string;
  readonly body: string;
  readonly expiresAtMs: number | undefined;
  /** Its position in the log. */
  stored?: Cursor & { atMs: number };
  /** How often the user's client with a stored cursor has shown it, or reported it as expired. */
  shown: number;
  toldExpired: number;
  /** Whether that client has reported a gap that includes it. */
  inGap: boolean;
  isDeleted: boolean;
  /** Whether it was deleted without a report because the sweeper was down. */
  isLost: boolean;
  /** Whether any client has handled it. */
  handled: boolean;
  readonly receipts: Set<Receipt["status"]>;
  readonly letters: string[];
}

/** The numbers given in one epoch. */
interface Sequence {
  readonly epoch: string;
  readonly first: number;
  readonly messages: Published[];
}

/** One session's numbers, and its acknowledgements. */
interface Numbers {
  readonly sequences: Sequence[];
  /** When the newest message expires, in epoch milliseconds. */
  untilMs: number;
  /** Whether a client may have been told of a gap although no message was lost. */
  wasEndangered: boolean;
  readonly acknowledged: (Cursor & { atMs: number })[];
  /** The newest message that the queue has deleted because its client has it or will ask for it. */
  done: Cursor | undefined;
}

/** Allows for the difference of two clocks, and for the time between reading a clock and acting on it. */
const TOLERANCE_MS = 60_000;

/** Records everything that is published, and checks everything that is done with it. */
export class Ledger {
  readonly messages = new Map<string, Published>();
  private readonly sessions = new Map<string, Numbers>();
  /** Whether the sweeper was down for days. */
  wasSweeperDown = false;

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
      shown: 0,
      toldExpired: 0,
      inGap: false,
      isDeleted: false,
      isLost: false,
      handled: false,
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
      numbers.sequences.push({ epoch, first: seq, messages: [message] });
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
    const { stored, letters: deadLetters, expiresAtMs, isDeleted } = this.find(key, id);
    const numbers = this.of(key);
    // A message that was dead-lettered or may have expired is not posted at once.
    if (!stored || isDeleted || deadLetters.length > 0 || expiresAtMs !== undefined) return;
    if (numbers.done?.epoch !== stored.epoch || numbers.done.seq < stored.seq) numbers.done = stored;
  }

  /** The newest message that the session's client has, or will ask for. */
  doneCursor(key: SessionKey): Cursor | undefined {
    return this.of(key).done;
  }

  acknowledged(key: SessionKey, { epoch, seq }: Cursor): void {
    const numbers = this.of(key);
    const sequence = numbers.sequences.find((each) => each.epoch === epoch);
    if (!sequence || seq >= sequence.first + sequence.messages.length) {
      this.violated(`${seq} of ${epoch} is acknowledged, and was never stored`);
    }
    numbers.acknowledged.push({ epoch, seq, atMs: this.simulation.now });
  }

  receipt({ status, messageId, user, context, contextId }: Receipt, askedAtMs: number): void {
    const message = this.find({ callerId: `user#${user}`, context: `${context}#${contextId}` }, messageId);
    if (status === "delivered" && !message.handled) {
      this.violated(`${messageId} is said to be delivered, and no client has handled it`);
    }
    if (status === "expired") this.expired(message, askedAtMs);
    message.receipts.add(status);
  }

  letter(key: SessionKey, id: string, body: string, reason: string | undefined): void {
    const message = this.find(key, id);
    if (!reason) this.violated(`${id} is dead-lettered without a reason`);
    if (body !== message.body) this.violated(`${id} is dead-lettered with another body`);
    message.letters.push(reason ?? "");
  }

  /** Numbers that a client with a stored cursor was told are missing. */
  missing(key: SessionKey, { lost, after, first, epoch }: Gap): void {
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
      for (const [position, { id, stored, shown, ...message }] of sequence.messages.entries()) {
        const seq = sequence.first + position;
        if ((index === from && seq <= (after?.seq ?? 0)) || (index === to && seq >= first)) continue;
        const isOld = stored && stored.atMs + this.retentionMs <= this.simulation.now + TOLERANCE_MS;
        // Messages that were stored after the log was found empty reach the client.
        if (!isOld && epoch === undefined) continue;
        if (!isOld) this.violated(`${id} is said to be missing, and is within the retention`);
        if (shown > 0 && !numbers.wasEndangered) this.violated(`${id} is said to be missing, and was shown`);
        this.find(message.key, id).inGap = true;
      }
    }
  }

  /** The outcome that the message still lacks; undefined if none. */
  open({
    key,
    expiresAtMs,
    stored,
    shown,
    toldExpired,
    inGap,
    isLost,
    receipts,
    letters: deadLetters,
  }: Published): string | undefined {
    if (isLost) return undefined;
    if (receipts.size === 0) return "no receipt";
    if (!stored) return deadLetters.length > 0 ? undefined : "neither stored nor dead-lettered";
    if (shown + toldExpired > 0) return undefined;
    // It has no body to show, and the client learns its number with the next message.
    if (expiresAtMs !== undefined && receipts.has("expired")) return undefined;
    if (!inGap) return `number ${stored.seq} is neither shown nor missing`;
    return receipts.has("expired") || this.acknowledgedAtMs(key, stored) !== undefined
      ? undefined
      : "missing, and not reported";
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
      untilMs: 0,
      wasEndangered: false,
      acknowledged: [],
      done: undefined,
    };
    this.sessions.set(sessionId(key), numbers);
    return numbers;
  }
}

function idOf(key: SessionKey, id: string): string {
  return `${sessionId(key)} ${id}`;
}
