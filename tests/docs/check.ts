import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { parse } from "yaml";
import { resolveArgs, type WebsocketRelayArgs } from "../../components/args/args";
import { type Block, placeOf } from "./blocks";
import { packageEntries } from "./packageEntries";
import { repository } from "../support/repository";

type Check = (blocks: Block[]) => string[];

/** By language: what is wrong with these blocks, a line each with its place in the page. */
const checks: Record<string, Check> = {
  ts: compile,
  js: compile,
  sh: each(({ text }) => {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: text, encoding: "utf8" });
    return status === 0 ? [] : [stderr.trim()];
  }),
  json: each(({ text }) => thrownBy(() => JSON.parse(text))),
  yaml: each(({ text }) => thrownBy(() => checkYaml(text))),
  // A listing of this repository: a path, and what is there.
  "": each(({ text }) =>
    text
      .split("\n")
      .map((line) => line.split(" ")[0] ?? "")
      .filter((path) => !existsSync(join(repository, path)))
      .map((path) => `the repository has no ${path}`),
  ),
  // Its parser needs a browser: tests/browser/docs.browser.ts.
  mermaid: () => [],
};

/** Whether a block's language is one that `problemsOf` knows. */
export function isCheckable({ language }: Block): boolean {
  return language in checks;
}

/** What is wrong with blocks of one language, each with its place. */
export function problemsOf(language: string, blocks: Block[]): string[] {
  return checks[language]?.(blocks) ?? [];
}

function each(problemsIn: (block: Block) => string[]): Check {
  return (blocks) => blocks.flatMap((block) => problemsIn(block).map((problem) => `${placeOf(block)}: ${problem}`));
}

/** A stack's config is also resolved as the program does it, but for the placeholders, which it refuses. */
function checkYaml(text: string): void {
  const { config } = parse(text.replaceAll("your-domain.com", "acme.dev")) as { config?: Record<string, unknown> };
  if (config === undefined) return;
  const given = Object.entries(config).map(([key, value]) => [key.replace(/^pulumi-websocket-relay:/, ""), value]);
  resolveArgs(Object.fromEntries(given) as unknown as WebsocketRelayArgs);
}

function thrownBy(action: () => unknown): string[] {
  try {
    action();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

const surroundings = join(__dirname, "surroundings");

/**
 * Each block is a module of its own, next to `surroundings`, which declares what a page's reader has: a Pulumi program is
 * CommonJS, as `pulumi new` makes it, and everything else an ES module.
 */
function compile(blocks: Block[]): string[] {
  const printed = new Map(
    blocks.map((block, index) => {
      const isProgram = /from "(@pulumi\/\w+|pulumi-websocket-relay)"/.test(block.text);
      // Without an import it would be a script, whose names are every other's.
      const text = /^(import|export) /m.test(block.text) ? block.text : `${block.text}export {};\n`;
      return [join(surroundings, `block${index}.${isProgram ? "cts" : "mts"}`), { block, text }] as const;
    }),
  );
  const { config } = ts.readConfigFile(join(surroundings, "tsconfig.json"), ts.sys.readFile) as { config: object };
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, surroundings);
  options.paths = Object.fromEntries(Object.entries(packageEntries()).map(([name, source]) => [name, [source]]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => printed.has(path) || fileExists(path);
  host.readFile = (path) => printed.get(path)?.text ?? readFile(path);
  const program = ts.createProgram([...printed.keys(), ...fileNames], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, " ");
    const of = file && printed.get(file.fileName);
    if (!of) return `${file?.fileName ?? surroundings}: ${message}`;
    const line = of.block.line + 1 + file.getLineAndCharacterOfPosition(start).line;
    return `${of.block.file}:${line}: ${message}; what the page leaves to its reader is declared in tests/docs/surroundings`;
  });
}
