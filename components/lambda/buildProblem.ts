import type { BuildFailure } from "esbuild";
import { existsSync } from "node:fs";

/** What esbuild says, without its heading; each error with its place, unless that is in the serialized text. */
export function buildProblem(error: Error | BuildFailure): string {
  if (!("errors" in error)) return error.message.split("\n")[0] ?? "";
  const problems = error.errors.map(({ text, location }) => {
    const place = location && existsSync(location.file) ? ` (${location.file}:${location.line})` : "";
    return `${text}${place}`;
  });
  return problems.join("; ");
}
