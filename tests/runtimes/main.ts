import type { WebSocketConstructor } from "../../client";
import { type Part, play } from "./player";

// The player in Node, Bun and Deno: its part is the first argument, and what it says goes to stdout.
const part = JSON.parse(process.argv[2] ?? "{}") as Part;

async function main(): Promise<void> {
  const ws = part.ws === undefined ? undefined : ((await import(part.ws)) as { default: WebSocketConstructor });
  await play(part, (line) => console.log(JSON.stringify(line)), ws?.default);
}

void main();
