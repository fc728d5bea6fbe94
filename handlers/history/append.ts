import { randomBytes } from "node:crypto";
import type { SessionKey } from "../sessions/sessionKey";
import type { Claim, Entry, EntryHead, History } from "./history";
import { EPOCH_CHARACTERS } from "./messageEnvelope";
import { voidBeforeMs } from "./retention";

export interface AppendDependencies {
  history: Pick<History, "readTail" | "claim" | "readClaim" | "moveClaim" | "put" | "readEntry">;
  /** How long messages are kept. */
  retentionMs: number;
  /** Epoch milliseconds. */
  now: () => number;
  /** Names a session's sequence when it begins. @default 72 random bits */
  newEpoch?: () => string;
}

/** The stored part of a message, without its number. */
export type NewEntry = Omit<Entry, "epoch" | "seq" | "storedAtMs">;

export interface Appended {
  /** The stored entry: if the message came twice, that of the first one. */
  entry: Entry;
  /** The newest entry that is known to exist, for the session's next message. */
  tail: EntryHead;
}

/** How often in a row other messages may take the number; after that, the message is retried later. */
const MAX_ROUNDS = 10;

/** Other messages of the same session were faster each time. */
export class HistoryContendedError extends Error {
  override readonly name = "HistoryContendedError";

  constructor() {
    super(`${MAX_ROUNDS} numbers in a row were given to other messages of the session`);
  }
}

/**
 * Gives a message its number and stores it, resuming wherever an earlier attempt stopped. A number exists once its entry is
 * stored, and an entry is only put after its predecessor, so that there are no holes. The claim is written first, and only
 * moved away from a number that the message does not have: so a message never gets two, even from concurrent workers.
 *
 * @param tail The newest entry that the caller knows; read if undefined. An outdated one costs a lost race.
 * @throws if the table fails; `HistoryContendedError`.
 */
export async function append(
  key: SessionKey,
  message: NewEntry,
  tail: EntryHead | undefined,
  dependencies: AppendDependencies,
  signal?: AbortSignal,
): Promise<Appended> {
  const { history, retentionMs, now } = dependencies;
  const { messageId } = message;
  let last = tail ?? (await history.readTail(key, signal));
  /** The message's claim, as last read. */
  let claimed: number | undefined;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const entry = entryAfter(last, message, dependencies);
    if (claimed === undefined) {
      const voidBefore = voidBeforeMs(retentionMs, now());
      if ((await history.claim(key, messageId, claimOf(entry), voidBefore, signal)) === "claimed") claimed = entry.seq;
    } else if ((await history.moveClaim(key, messageId, claimed, claimOf(entry), signal)) === "moved") {
      claimed = entry.seq;
    } else {
      claimed = undefined;
    }
    if (claimed !== undefined && (await history.put(key, entry, signal)) === "stored") return { entry, tail: entry };

    // Another worker has moved it, or will: its next step finds the entry that is read here.
    claimed ??= (await history.readClaim(key, messageId, signal))?.seq;
    // In this order: an entry that is absent although a later number exists was deleted, and is not about to be stored.
    last = await history.readTail(key, signal);
    if (claimed === undefined || !last || last.seq < claimed) continue;
    const standing = await history.readEntry(key, claimed, signal);
    if (standing?.messageId === messageId) return { entry: standing, tail: last };
  }
  throw new HistoryContendedError();
}

/** Never before its predecessor, although clocks differ: the expired entries are always a prefix of the log. */
function entryAfter(
  tail: EntryHead | undefined,
  message: NewEntry,
  { now, newEpoch = randomEpoch }: AppendDependencies,
): Entry {
  return {
    ...message,
    epoch: tail?.epoch ?? newEpoch(),
    seq: (tail?.seq ?? 0) + 1,
    storedAtMs: Math.max(now(), tail?.storedAtMs ?? 0),
  };
}

function claimOf({ seq, storedAtMs }: Entry): Claim {
  return { seq, claimedAtMs: storedAtMs };
}

function randomEpoch(): string {
  return randomBytes((EPOCH_CHARACTERS * 3) / 4).toString("base64url");
}
