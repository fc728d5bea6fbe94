import { STREAM_CHUNK_TYPE, type StreamChunk } from "../../protocol";

/** A chunk of the stream `s1`, as the body of a message. */
export function chunkBody(offset: number, text: string, given: Partial<StreamChunk> = {}): string {
  return JSON.stringify({ type: STREAM_CHUNK_TYPE, id: "s1", offset, text, ...given });
}

/** The bodies of a stream whose text comes in these pieces. */
export function chunkBodies(texts: readonly string[], given: Partial<StreamChunk> = {}): string[] {
  let offset = 0;
  return texts.map((text) => {
    const body = chunkBody(offset, text, given);
    offset += text.length;
    return body;
  });
}
