import { dirname } from "node:path";
import { asOneMessage, problemText } from "../args/refuse";

/** What the package `typescript` exports, as far as it is read here. */
interface TypeScript {
  version: string;
  /** Missing in TypeScript 7, whose package exports its version alone. */
  createSourceFile?: unknown;
}

/**
 * Refuses a TypeScript that Pulumi cannot serialize functions with. Pulumi would only say "Cannot read properties of undefined
 * (reading 'Latest')", for each function, after other resources have been created.
 *
 * @throws Error naming the version and the folder that it is in, of which the pulumi CLI prints the message alone.
 */
export function refuseUnusableTypescript(): void {
  const typescript = typescriptOfPulumi();
  if (typescript === undefined || typescript.createSourceFile !== undefined) return;
  const problem = problemText(
    typescript.version,
    "TypeScript 5 or 6, because Pulumi serializes functions with an API that TypeScript 7 does not have",
    "run npm install --save-dev typescript@5 in the program's folder",
  );
  throw asOneMessage(new Error(`typescript in ${folderOf("typescript")}: ${problem}`));
}

/**
 * The TypeScript that Pulumi parses functions with: the package `typescript`, found from Pulumi's own folder, or the copy of 3.8
 * that Pulumi contains. Undefined where Pulumi has no such module: that version has another parser.
 * https://github.com/pulumi/pulumi/blob/v3.248.0/sdk/nodejs/typescript-shim.ts
 */
function typescriptOfPulumi(): TypeScript | undefined {
  try {
    return require("@pulumi/pulumi/typescript-shim") as TypeScript;
  } catch {
    return undefined;
  }
}

function folderOf(name: string): string {
  return dirname(require.resolve(`${name}/package.json`, { paths: [dirname(require.resolve("@pulumi/pulumi"))] }));
}
