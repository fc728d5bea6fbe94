import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

// The flags that npm start and npm run engine both take.

/** Values of a stack's config by key: `-c delivery=replay`. */
export function readPairs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map(readPair));
}

/** The folder that `--program` names. @throws Error where it holds no project. */
export function readProgramFolder(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const folder = resolve(given);
  if (existsSync(join(folder, "Pulumi.yaml"))) return folder;
  throw new Error(`--program: got ${JSON.stringify(given)}; allowed: a folder with a Pulumi.yaml`);
}

/** A value may hold further equals signs. */
function readPair(pair: string): [key: string, value: string] {
  const at = pair.indexOf("=");
  if (at < 1) throw new Error(`--config: got ${JSON.stringify(pair)}; allowed: KEY=VALUE, such as delivery=replay`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}
