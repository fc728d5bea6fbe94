import type { Entry, Segment } from "./history";

/** The number of the segment's last message. */
export function lastSeqOf({ first, count }: Pick<Segment, "first" | "count">): number {
  return first + count - 1;
}

/** Whether its bodies are removed and it has no TTL: it only keeps the session's last number. */
export function isSealed({ ttlMs }: Pick<Segment, "ttlMs">): boolean {
  return ttlMs === undefined;
}

/** The length of its bodies. */
export function charactersOf({ messages }: Pick<Segment, "messages">): number {
  return messages.reduce((sum, { body }) => sum + body.length, 0);
}

/** Whether the message with that number is this segment's and has that id. */
export function hasMessage({ first, messages }: Pick<Segment, "first" | "messages">, seq: number, id: string): boolean {
  return messages[seq - first]?.id === id;
}

/** The segment's messages with their numbers. */
export function entriesOf(segment: Segment): Entry[] {
  const { first, count, epoch, storedAtMs, untilMs, messages, reported } = segment;
  return Array.from({ length: count }, (_, position) => {
    const { id = "", body, expiresAtMs, attributes = {} } = messages[position] ?? {};
    return {
      epoch,
      seq: first + position,
      segmentFirst: first,
      messageId: id,
      body: reported.includes(position) ? undefined : body,
      storedAtMs,
      untilMs,
      expiresAtMs,
      attributes,
    };
  });
}
