import { type MessageEnvelope, parseStreamChunk, type StreamChunk } from "../../protocol";

/** The most bytes of an envelope of several chunks: with a hello, it fits into the 32 KB that API Gateway does not split. */
export const MAX_MERGED_BYTES = 30 * 1024;

/** Envelopes that are joined into one. */
interface Group {
  first: MessageEnvelope;
  last: MessageEnvelope;
  /** Undefined if the envelope is not a chunk's: it is then alone in its group. */
  chunk: StreamChunk | undefined;
  /** The size of the chunk's text within the envelope. */
  textBytes: number;
}

/**
 * Joins neighbouring chunks of one stream, so that a client gets them as one envelope of the messages `first` to `seq`. The
 * envelopes are in the order of their numbers. Chunks are joined if no number and no text is missing between them.
 */
export function mergeChunks(envelopes: readonly MessageEnvelope[]): MessageEnvelope[] {
  const groups: Group[] = [];
  for (const envelope of envelopes) {
    const next = groupOf(envelope);
    const last = groups.at(-1);
    const joined = last && join(last, next);
    if (joined) groups[groups.length - 1] = joined;
    else groups.push(next);
  }
  return groups.map((group) => (group.first === group.last ? group.first : envelopeOf(group)));
}

/** The numbers of the messages that an envelope covers. */
export function numbersOf({ first, seq }: MessageEnvelope): number[] {
  const from = first ?? seq;
  return Array.from({ length: seq - from + 1 }, (_, position) => from + position);
}

function groupOf(envelope: MessageEnvelope): Group {
  const chunk = envelope.body === undefined ? undefined : parseStreamChunk(envelope.body);
  // The envelope is JSON, and so is the body in it.
  const textBytes = chunk ? Buffer.byteLength(JSON.stringify(JSON.stringify(chunk.text))) : 0;
  return { first: envelope, last: envelope, chunk, textBytes };
}

/** Undefined if the groups do not follow each other, or are too large together. */
function join(group: Group, next: Group): Group | undefined {
  const [a, b] = [group.chunk, next.chunk];
  const follows =
    a !== undefined &&
    b !== undefined &&
    a.end === undefined &&
    a.id === b.id &&
    a.offset + a.text.length === b.offset &&
    group.last.epoch === next.first.epoch &&
    group.last.seq + 1 === next.first.seq;
  if (!follows) return undefined;
  const joined = {
    first: group.first,
    last: next.last,
    chunk: { ...b, offset: a.offset, text: a.text + b.text },
    textBytes: group.textBytes + next.textBytes,
  };
  const rest = envelopeOf({ ...joined, chunk: { ...joined.chunk, text: "" } });
  return Buffer.byteLength(JSON.stringify(rest)) + joined.textBytes <= MAX_MERGED_BYTES ? joined : undefined;
}

function envelopeOf({ first, last, chunk }: Group): MessageEnvelope {
  const { type, epoch, seq, id } = last;
  return { type, epoch, seq, first: first.seq, id, body: JSON.stringify(chunk) };
}
