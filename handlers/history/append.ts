import { randomBytes } from "node:crypto";
import type { SessionKey } from "../sessions/sessionKey";
import { EPOCH_CHARACTERS } from "./envelopeSize";
import type { Claim, Entry, EntryHead, History } from "./history";
import { voidBeforeMs } from "./retention";

export interface AppendDependencies {
  history: Pick<History, "readTail" | "claim" | "readClaim" | "moveClaim" | "put" | "readEntry">;
  /** For how long messages are kept. */
  retentionMs: number;
  /** Epoch milliseconds. */
  now: () => number;
  /** Names a session's sequence when it begins. @default 72 random bits */
  newEpoch?: () => string;
}

/** What is stored of a message; its number is to be given. */
export type NewEntry = Omit<Entry, "epoch" | "seq" | "storedAtMs">;

export interface Appended {
  /** As it stands: of a message that came twice, the first one's. */
  entry: Entry;
  /** The newest number that is known to stand, for the session's next message. */
  tail: EntryHead;
}

/** As many numbers in a row may go to others; whoever loses that often comes again later. */
const MAX_ROUNDS = 10;

/** Others of the same session were faster each time. */
export class HistoryContendedError extends Error {
  override readonly name = "HistoryContendedError";

  constructor() {
    super(`${MAX_ROUNDS} numbers in a row were given to other messages of the session`);
  }
}

/**
 * Gives a message its number and stores it, wherever an earlier attempt has come to. A number exists once its entry stands, and
 * an entry is only put where its predecessor stands, so that there are no holes. The claim comes first, and is only moved
 * from a number at which the message does not stand: so it never gets two, whoever works on it at the same time.
 *
 * @param tail The newest number as the caller knows it; it is read where there is none. An older one costs a lost race.
 * @throws where the table fails; `HistoryContendedError`.
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
  /** Where the message's claim is, as far as is known. */
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

    // Where another worker has taken it, or will: at its next step it finds what is read here.
    claimed ??= (await history.readClaim(key, messageId, signal))?.seq;
    // In this order: an entry that is absent after a later number stood was deleted, and is not just about to be stored.
    last = await history.readTail(key, signal);
    if (claimed === undefined || !last || last.seq < claimed) continue;
    const standing = await history.readEntry(key, claimed, signal);
    if (standing?.messageId === messageId) return { entry: standing, tail: last };
  }
  throw new HistoryContendedError();
}

/** Not older than its predecessor, though the clocks of two functions differ: so what has expired is always a prefix. */
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
