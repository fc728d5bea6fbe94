import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What some blocks need beyond Node and npm, by the place where .ci/run installs it in the folder DOCS_TOOLS. */
const places = {
  "the AWS CLI": "python/bin/aws",
  "Python with boto3": "python/bin/python",
  "the AWS SDK for Java": "java/sns.jar",
  "the AWS SDK for Go": "go/go.mod",
  "Node 22": "node_modules/node22/bin/node",
  "Node 24": "node_modules/node24/bin/node",
  "Node 26": "node_modules/node26/bin/node",
  Bun: "node_modules/@oven/bun-linux-x64-baseline/bin/bun",
  Deno: "node_modules/@deno/linux-x64-glibc/deno",
  Mermaid: "node_modules/mermaid/dist/mermaid.min.js",
};

export type Tool = keyof typeof places;

/**
 * The path of a tool, or undefined without DOCS_TOOLS.
 *
 * @throws where DOCS_TOOLS has a folder without it: what .ci/run leaves out would look like what has passed.
 */
export function pathOf(tool: Tool, { DOCS_TOOLS }: NodeJS.ProcessEnv = process.env): string | undefined {
  if (DOCS_TOOLS === undefined) return undefined;
  const path = join(DOCS_TOOLS, places[tool]);
  if (existsSync(path)) return path;
  throw new Error(
    `DOCS_TOOLS: got ${JSON.stringify(DOCS_TOOLS)}, without ${tool} at ${places[tool]}; install it there as .ci/run does, ` +
      "or unset DOCS_TOOLS to leave out what needs more than Node and npm",
  );
}

/** A PATH on which these folders come first. */
export function pathWith(...folders: string[]): string {
  return [...folders, process.env.PATH ?? ""].join(delimiter);
}
