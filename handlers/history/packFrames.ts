import { type Envelope, MAX_PAYLOAD_BYTES } from "../../protocol";

/** One post: the text, and the envelopes in it. */
export interface Frame<T extends Envelope = Envelope> {
  text: string;
  envelopes: T[];
  /** Of the text in UTF-8. */
  bytes: number;
}

/**
 * Packs envelopes, in order, into as few frames as the gateway accepts. A single envelope is sent as itself, several as an
 * array. An envelope that is too large gets a frame of its own, which the gateway refuses.
 */
export function packFrames<T extends Envelope>(envelopes: readonly T[], maxBytes = MAX_PAYLOAD_BYTES): Frame<T>[] {
  const frames: Packed<T>[] = [];
  for (const envelope of envelopes) {
    const text = JSON.stringify(envelope);
    const bytes = Buffer.byteLength(text);
    const last = frames.at(-1);
    // Besides the envelopes, the array has two brackets and commas between them.
    if (last && last.bytes + bytes + last.texts.length + 2 <= maxBytes) {
      last.envelopes.push(envelope);
      last.texts.push(text);
      last.bytes += bytes;
    } else {
      frames.push({ envelopes: [envelope], texts: [text], bytes });
    }
  }
  return frames.map(({ envelopes, texts }) => {
    const text = texts.length === 1 ? (texts[0] as string) : `[${texts.join(",")}]`;
    return { text, envelopes, bytes: Buffer.byteLength(text) };
  });
}

interface Packed<T> {
  envelopes: T[];
  texts: string[];
  /** The size of the texts, without separators. */
  bytes: number;
}
