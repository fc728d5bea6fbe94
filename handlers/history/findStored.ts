import type { SessionKey } from "../sessions/sessionKey";
import type { Entry, History, Segment, StoredMessage } from "./history";
import type { KnownIds } from "./knownIds";
import { isRetained } from "./retention";
import { entriesOf, hasMessage, lastSeqOf } from "./segment";

export interface FindDependencies {
  history: Pick<History, "readBack">;
  /** How long messages are kept. */
  retentionMs: number;
  /** Epoch milliseconds. */
  now: () => number;
}

/** A message to store. */
export interface NewMessage {
  stored: StoredMessage;
  /** When the queue accepted it, in epoch milliseconds. */
  sentAtMs: number;
  /** A message with the same id that was stored at this time or later is a copy of it. In epoch milliseconds. */
  copySinceMs: number;
  /** Whether it is a dead letter that was redriven. @default false */
  isRedriven?: boolean;
}

/** A stored message, and the segment that has it. */
export interface Found {
  segment: Segment;
  entry: Entry;
}

/**
 * Finds the messages that are stored already. A copy counts if it was stored at the message's `copySinceMs` or later, as
 * does an earlier one that `known` or the tail happens to have, if it is within the retention. Of a redriven message, one that
 * has expired does not count: it was reported as expired, and then redriven. Reads back only as far as
 * `copySinceMs` of a message that has not been found.
 *
 * @param tail The session's last segment.
 * @param known What earlier calls have read of the session's ids; this call adds to it.
 */
export async function findStored(
  key: SessionKey,
  messages: readonly NewMessage[],
  tail: Segment,
  known: KnownIds,
  dependencies: FindDependencies,
  signal?: AbortSignal,
): Promise<Map<NewMessage, Found>> {
  const { history } = dependencies;
  const segments = [tail];
  const read = async (seq: number): Promise<Segment | undefined> => {
    const segment = segments.find(has(seq)) ?? (await history.readBack(key, seq, 1, signal))[0];
    if (!segment || !has(seq)(segment)) return undefined;
    if (!segments.includes(segment)) segments.push(segment);
    return segment;
  };

  known.addTail(tail);
  const found = new Map<NewMessage, Found>();
  let open = messages;
  for (;;) {
    for (const message of open) {
      const copy = await confirmed(message, known, read, dependencies);
      if (copy) found.set(message, copy);
    }
    open = open.filter((message) => !found.has(message));
    const sinceMs = Math.min(...open.map(({ copySinceMs }) => copySinceMs));
    if (known.reaches(sinceMs)) return found;
    const [segment] = await history.readBack(key, known.before, 1, signal);
    if (segment && segment.storedAtMs >= sinceMs) known.addEarlier(segment);
    else known.coverFrom(segment ? segment.storedAtMs + 1 : 0);
  }
}

/** The stored copy of the message. A hash only says where to look. */
async function confirmed(
  { stored: { id }, copySinceMs, isRedriven = false }: NewMessage,
  known: KnownIds,
  read: (seq: number) => Promise<Segment | undefined>,
  { retentionMs, now }: FindDependencies,
): Promise<Found | undefined> {
  let found: Segment | undefined;
  let position = 0;
  for (const seq of known.candidates(id)) {
    const segment = await read(seq);
    if (!segment || !hasMessage(segment, seq, id)) continue;
    const isSince = !isRedriven && segment.storedAtMs >= copySinceMs;
    if (!isSince && !isRetained(segment, retentionMs, now())) continue;
    found = segment;
    position = seq - segment.first;
    // The publisher may have used the id for another message long before.
    if (isSince) break;
  }
  return found && { segment: found, entry: entriesOf(found)[position] as Entry };
}

function has(seq: number): (segment: Segment) => boolean {
  return (segment) => segment.first <= seq && seq <= lastSeqOf(segment);
}
