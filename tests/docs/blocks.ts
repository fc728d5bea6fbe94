import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../support/repository";

/** Every page whose code blocks are tested. */
export const pages = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...readdirSync(join(repository, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(repository, "examples"))
    .map((name) => `examples/${name}/README.md`)
    .filter((path) => existsSync(join(repository, path))),
];

/** What is done with a block, as the comment before it says. */
export type Mark =
  /** Executed as printed, in the scene of that name; without a name it only has to end with 0. */
  | { kind: "run"; name?: string }
  /** Type-checked or parsed as printed. */
  | { kind: "check" }
  /** Executed as printed, where the pulumi CLI is. */
  | { kind: "engine"; name: string }
  | { kind: "illustration"; reason: string };

export interface Block {
  file: string;
  /** Of the opening fence. */
  line: number;
  language: string;
  text: string;
  mark?: Mark;
  /** What is wrong with the mark, and the fix. */
  problem?: string;
}

/** `README.md:42`, as editors and terminals make a link of it. */
export const placeOf = ({ file, line }: Pick<Block, "file" | "line">): string => `${file}:${line}`;

export function allBlocks(): Block[] {
  return pages.flatMap((file) => blocksOf(file, readFileSync(join(repository, file), "utf8")));
}

const forms =
  "<!-- docs: run name=NAME -->, <!-- docs: check -->, <!-- docs: engine name=NAME --> or " +
  "<!-- docs: illustration: REASON -->";

/**
 * The fenced blocks of a page with their marks. A mark is a comment of one line, which Markdown does not show, and the last
 * thing before its fence but for blank lines, which the formatter adds.
 */
export function blocksOf(file: string, markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; indent: string; block: Block; lines: string[] } | undefined;
  let comment: { text: string; line: number } | undefined;
  const dangling = ({ line }: { line: number }, why: string) =>
    blocks.push({ file, line, language: "", text: "", problem: `a mark ${why}` });

  markdown.split("\n").forEach((text, index) => {
    const line = index + 1;
    const [, indent = "", fence, info = ""] = /^( *)(`{3,}|~{3,})(.*)$/.exec(text) ?? [];
    if (open) {
      if (fence?.startsWith(open.fence) && info.trim() === "") {
        open.block.text = open.lines.map((each) => `${each}\n`).join("");
        blocks.push(open.block);
        open = undefined;
      } else open.lines.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text);
    } else if (fence !== undefined) {
      const marked = comment ? markOf(comment.text) : { problem: `no mark before the block; put ${forms} there` };
      const block: Block = { file, line, language: info.trim().split(/\s/)[0] ?? "", text: "", ...marked };
      open = { fence, indent, block, lines: [] };
      comment = undefined;
    } else if (text.trim() !== "") {
      if (comment) dangling(comment, "without a block: remove it, or put it on the line before a fence");
      const [, mark] = /^\s*<!--\s*docs:(.*?)-->\s*$/.exec(text) ?? [];
      comment = mark === undefined ? undefined : { text: mark.trim(), line };
      if (!comment && /<!--\s*docs:/.test(text)) dangling({ line }, "that is not a comment on a line of its own");
    }
  });
  if (comment) dangling(comment, "without a block: remove it, or put it on the line before a fence");
  if (open) blocks.push({ ...open.block, problem: `the fence is never closed; close it with ${open.fence}` });
  return blocks;
}

function markOf(text: string): Pick<Block, "mark" | "problem"> {
  const [, reason] = /^illustration\b:?(.*)$/.exec(text) ?? [];
  if (reason !== undefined) {
    if (reason.trim() !== "") return { mark: { kind: "illustration", reason: reason.trim() } };
    return { problem: "an illustration without a reason; write <!-- docs: illustration: REASON -->" };
  }
  const [, kind, name] = /^(run|check|engine)(?: name=([a-z0-9-]+))?$/.exec(text) ?? [];
  if (kind === "run") return { mark: { kind, name } };
  if (kind === "check" && name === undefined) return { mark: { kind } };
  if (kind === "engine" && name !== undefined) return { mark: { kind, name } };
  return { problem: `the mark is ${JSON.stringify(text)}; allowed: ${forms}` };
}
