import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mulberry32 } from "../tests/support/mulberry32";

/** Ten messages of 1 KB of JSON with varied text: fixed, so that every run and every commit sends the same. */
export const BODIES: readonly string[] = (
  JSON.parse(readFileSync(join(__dirname, "fixture.json"), "utf8")) as object[]
).map((body) => JSON.stringify(body));

/** The same size of text that no compression shortens much: base64 of seeded random bytes. */
export const INCOMPRESSIBLE: readonly string[] = incompressible(10, 1_024);

/** Pieces of 20 bytes, as a generated text is streamed. */
export const CHUNKS: readonly string[] = piecesOf(BODIES.join(""), 20);

/** Pieces of 5 bytes: the tokens of a generated text. */
export const TOKENS: readonly string[] = piecesOf(BODIES.join(""), 5);

/** The body of message `index`: the fixture's texts in turn. */
export function bodyOf(index: number, bodies: readonly string[] = BODIES): string {
  return bodies[index % bodies.length] as string;
}

function incompressible(count: number, bytes: number): string[] {
  const random = mulberry32(1);
  return Array.from({ length: count }, () =>
    Buffer.from(Array.from({ length: (bytes / 4) * 3 }, () => Math.floor(random() * 256))).toString("base64"),
  );
}

/** ASCII alone, so that a piece has as many bytes as characters. */
function piecesOf(text: string, bytes: number): string[] {
  const ascii = text.replace(/[^ -~]/g, "");
  return Array.from({ length: Math.floor(ascii.length / bytes) }, (_, index) =>
    ascii.slice(index * bytes, (index + 1) * bytes),
  );
}
