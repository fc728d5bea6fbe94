import { GRACE_MS } from "../../../handlers/history/retention";
import { sessionId, type SessionKey } from "../../../handlers/sessions/sessionKey";
import type { Cursor, Receipt } from "../../../protocol";
import type { Gap } from "../../../client";
import type { Simulation } from "./simulation";

/** An outcome that must never happen; the message names it. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** A message as the backend published it, and what has become of it since. */
export interface Published {
  readonly key: SessionKey;
  /** The backend's own, or the queue's. */
  readonly id: string;
  readonly body: string;
  readonly expiresAtMs: number | undefined;
  /** Its position in the log. */
  stored?: Cursor & { atMs: number };
  /** How often the user's client with a lasting cursor has shown it, or said that it had expired. */
  shown: number;
  toldExpired: number;
  /** Whether that client has said that messages are missing, it among them. */
  inGap: boolean;
  /** Whether any client has handled it. */
  handled: boolean;
  readonly receipts: Set<Receipt["status"]>;
  readonly letters: string[];
}

/** One session's numbers, as they were given; and how far they were acknowledged, and when. */
interface Numbers {
  epoch: string | undefined;
  readonly messages: Published[];
  readonly acknowledged: { seq: number; atMs: number }[];
  /** The newest number with which the queue is done because its client has it, or will ask for it. */
  doneSeq: number;
}

/** As much may be between two hosts' clocks, and between a clock's reading and what is done by it. */
const TOLERANCE_MS = 60_000;

/** Knows everything that was published, and judges everything that is done with it. */
export class Ledger {
  readonly messages = new Map<string, Published>();
  private readonly sessions = new Map<string, Numbers>();

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
      handled: false,
      receipts: new Set<Receipt["status"]>(),
      letters: [],
    };
    this.messages.set(idOf(key, id), message);
    return message;
  }

  find(key: SessionKey, id: string): Published {
    const message = this.messages.get(idOf(key, id));
    if (!message) throw this.violated(`${id} was never published to ${key.context}`);
    return message;
  }

  stored(key: SessionKey, { epoch, seq }: Cursor, id: string, body: string | undefined): void {
    const numbers = this.of(key);
    const message = this.find(key, id);
    const at = `${id} at ${epoch} ${seq}`;
    numbers.epoch ??= epoch;
    if (numbers.epoch !== epoch) this.violated(`the sequence begins anew: ${at}, after ${numbers.epoch}`);
    if (seq !== numbers.messages.length + 1) {
      this.violated(`a hole, or a number given twice: ${at}, after ${numbers.messages.length}`);
    }
    if (message.stored) this.violated(`a second number: ${at}, after ${message.stored.seq}`);
    if (body !== message.body) this.violated(`another body than was published: ${at}`);
    numbers.messages.push(message);
    message.stored = { epoch, seq, atMs: this.simulation.now };
  }

  /** The queue has deleted a message. */
  done(key: SessionKey, id: string): void {
    const { stored, letters: deadLetters, expiresAtMs } = this.find(key, id);
    const numbers = this.of(key);
    // No client is told at once of a message that could never be posted, or that has nothing to show.
    if (!stored || deadLetters.length > 0 || expiresAtMs !== undefined) return;
    numbers.doneSeq = Math.max(numbers.doneSeq, stored.seq);
  }

  doneSeq(key: SessionKey): number {
    return this.of(key).doneSeq;
  }

  acknowledged(key: SessionKey, { epoch, seq }: Cursor): void {
    const numbers = this.of(key);
    if (epoch !== numbers.epoch) this.violated(`${seq} of ${epoch} is acknowledged, which never was`);
    numbers.acknowledged.push({ seq, atMs: this.simulation.now });
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

  /** Numbers that a client with a lasting cursor was told are missing. */
  missing(key: SessionKey, { lost, after, first, epoch }: Gap): void {
    const numbers = this.of(key);
    const seen = after?.seq ?? 0;
    if (lost !== "expired" || epoch !== numbers.epoch || first <= seen + 1) {
      this.violated(`a gap that cannot be (${lost}): ${seen} to ${first} of ${epoch}`);
    }
    for (const message of numbers.messages.slice(seen, first - 1)) {
      const { id, stored, shown } = message;
      const isOld = stored && stored.atMs + this.retentionMs <= this.simulation.now + TOLERANCE_MS;
      if (!isOld) this.violated(`${id} is said to be missing, and is within the retention`);
      if (shown > 0) this.violated(`${id} is said to be missing, and was shown`);
      message.inGap = true;
    }
  }

  /** What is still to happen to the message; undefined where everything has. */
  open({
    key,
    expiresAtMs,
    stored,
    shown,
    toldExpired,
    inGap,
    receipts,
    letters: deadLetters,
  }: Published): string | undefined {
    if (receipts.size === 0) return "no receipt";
    if (!stored) return deadLetters.length > 0 ? undefined : "neither stored nor dead-lettered";
    if (shown + toldExpired > 0) return undefined;
    // There is nothing to show of it, and what comes next will tell the client of its number.
    if (expiresAtMs !== undefined && receipts.has("expired")) return undefined;
    if (!inGap) return `number ${stored.seq} is neither shown nor missing`;
    const isAcknowledged = this.of(key).acknowledged.some(({ seq }) => seq >= stored.seq);
    return receipts.has("expired") || isAcknowledged ? undefined : "missing, and not reported";
  }

  /** When the last thing that may have to be waited for has happened. */
  get sweptAfterMs(): number {
    return this.retentionMs + GRACE_MS;
  }

  /** Ends the run, also where it is found in the middle of a handler that survives every fault. */
  violated(what: string): Violation {
    const violation = new Violation(what);
    this.simulation.fail(violation);
    return violation;
  }

  private expired(message: Published, askedAtMs: number): void {
    const { id, key, stored, expiresAtMs } = message;
    const acknowledged = this.of(key).acknowledged.find(({ seq }) => stored && seq >= stored.seq);
    if (acknowledged && acknowledged.atMs < askedAtMs) this.violated(`${id} is acknowledged, and reported expired`);
    const expiredAtMs = Math.min((stored?.atMs ?? Infinity) + this.retentionMs, expiresAtMs ?? Infinity);
    if (expiredAtMs > this.simulation.now + TOLERANCE_MS) this.violated(`${id} is reported expired before its time`);
  }

  private of(key: SessionKey): Numbers {
    const numbers = this.sessions.get(sessionId(key)) ?? {
      epoch: undefined,
      messages: [],
      acknowledged: [],
      doneSeq: 0,
    };
    this.sessions.set(sessionId(key), numbers);
    return numbers;
  }
}

function idOf(key: SessionKey, id: string): string {
  return `${sessionId(key)} ${id}`;
}
