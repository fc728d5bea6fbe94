import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../support/repository";

/** The package's entries, as its `exports` have them, by their sources: a printed block asks for them by name. */
export function packageEntries(): Record<string, string> {
  const { name, exports } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, unknown>;
  };
  return Object.fromEntries(
    Object.entries(exports).flatMap(([entry, targets]) => {
      const [, folder] = /"\.\/dist\/([^"]+)\/index\.js"/.exec(JSON.stringify(targets)) ?? [];
      return folder === undefined ? [] : [[entry.replace(".", name), join(repository, folder, "index.ts")] as const];
    }),
  );
}
