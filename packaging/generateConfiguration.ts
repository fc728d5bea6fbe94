import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { configurationPage } from "./configurationPage";
import { projectFile } from "./projectFile";
import { securityPage } from "./securityPage";

// Generates `config` in Pulumi.yaml and docs/configuration.md from components/args/spec.ts, and a part of docs/security.md from
// securityControls.ts. With --check, it writes nothing, and fails if one of them is stale.

const repository = resolve(__dirname, "..");

/** The generated files that differ from the existing ones, with their new text. */
export async function staleFiles(): Promise<Map<string, string>> {
  const read = (file: string) => readFileSync(join(repository, file), "utf8");
  const generated = [
    ["Pulumi.yaml", projectFile(read("Pulumi.yaml"))],
    ["docs/configuration.md", await configurationPage()],
    ["docs/security.md", await securityPage(read("docs/security.md"))],
  ] as const;
  return new Map(generated.filter(([file, text]) => text !== read(file)));
}

async function main(): Promise<void> {
  const stale = await staleFiles();
  if (!process.argv.includes("--check")) {
    for (const [file, text] of stale) writeFileSync(join(repository, file), text);
  } else if (stale.size > 0) {
    console.error(
      `${[...stale.keys()].join(", ")}: stale. Fix: run node -r ./transpile packaging/generateConfiguration.ts`,
    );
    process.exitCode = 1;
  }
}

if (require.main === module) void main();
