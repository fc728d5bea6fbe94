import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { configurationPage } from "./configurationPage";
import { pluginSchema } from "./pluginSchema";
import { projectFile } from "./projectFile";
import { remoteArgs } from "./remoteArgs";
import { securityPage } from "./securityPage";

// Generates `config` in Pulumi.yaml, docs/configuration.md, and the arguments for other languages with their schema from
// components/args/spec.ts, and a part of docs/security.md from securityControls.ts. With --check, it writes nothing, and fails
// if one of them is stale.

const repository = resolve(__dirname, "..");

/** The generated files that differ from the existing ones, with their new text. */
export async function staleFiles(): Promise<Map<string, string>> {
  const generated = [
    ["Pulumi.yaml", projectFile(read("Pulumi.yaml"))],
    ["docs/configuration.md", await configurationPage()],
    ["docs/security.md", await securityPage(read("docs/security.md"))],
    ["components/remote/remoteArgs.ts", await remoteArgs()],
  ] as const;
  return staleOf(generated);
}

/** The same for the schema, which is generated from the files on disk. */
export async function staleSchema(): Promise<Map<string, string>> {
  return staleOf([["plugin/schema.json", await pluginSchema(repository)]]);
}

function staleOf(generated: readonly (readonly [file: string, text: string])[]): Map<string, string> {
  return new Map(generated.filter(([file, text]) => text !== read(file)));
}

function read(file: string): string {
  return readFileSync(join(repository, file), "utf8");
}

async function main(): Promise<void> {
  const stale = await staleFiles();
  if (!process.argv.includes("--check")) {
    write(stale);
    write(await staleSchema());
    return;
  }
  const files = [...stale.keys(), ...(await staleSchema()).keys()];
  if (files.length > 0) {
    console.error(`${files.join(", ")}: stale. Fix: run node -r ./transpile packaging/generateConfiguration.ts`);
    process.exitCode = 1;
  }
}

function write(files: Map<string, string>): void {
  for (const [file, text] of files) writeFileSync(join(repository, file), text);
}

if (require.main === module) void main();
