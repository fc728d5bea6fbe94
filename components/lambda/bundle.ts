import { existsSync } from "node:fs";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { BuildFailure } from "esbuild";
import { refusingLostCaptures } from "./lostCaptures";
import { asOneMessage } from "../args/refuse";
import { functionsFolder, withOwnModules } from "./ownModules";
import { withUsersModules } from "./usersModules";

/**
 * The text of a CommonJS module that exports `handler`: what `callbackFactory` returns, with every module that it reaches
 * by `require`. The same program gives the same text on every machine, so an unchanged function has an unchanged hash.
 *
 * Rejects where the callback captures what cannot be serialized, or where a module cannot be found.
 *
 * @param requireFrom Folder from which its `require`s resolve, of files and of packages. @default the program's folder
 */
export function bundle(callbackFactory: () => unknown, requireFrom?: string): Promise<string> {
  return serializeAndBundle(callbackFactory, true, requireFrom);
}

/** {@link bundle} of a callback that is itself what `handler` is to be. */
export function bundleCallback(callback: (...args: never[]) => unknown, requireFrom?: string): Promise<string> {
  return serializeAndBundle(callback, false, requireFrom);
}

async function serializeAndBundle(
  callback: (...args: never[]) => unknown,
  isFactoryFunction: boolean,
  requireFrom = process.cwd(),
): Promise<string> {
  return withModules(await serialized(callback, isFactoryFunction), requireFrom);
}

async function serialized(callback: (...args: never[]) => unknown, isFactoryFunction: boolean): Promise<string> {
  try {
    const { text } = await refusingLostCaptures(callback, (serialize) =>
      pulumi.runtime.serializeFunction(callback, { isFactoryFunction, exportName: "handler", serialize }),
    );
    return text;
  } catch (error) {
    throw asOneMessage(new Error(serializationProblem((error as Error).message), { cause: error }));
  }
}

function serializationProblem(message: string): string {
  // Pulumi writes a captured module as the path of its file; where the package has `exports`, as what exports that file.
  const [, file] = /package\.json export path for "(.+)" not found/.exec(message) ?? [];
  if (file !== undefined) {
    return (
      `a callback captures a module or an object of ${file}, which Pulumi does not find among its package's exports (with ` +
      "pnpm it finds none). Fix: require the package inside the callback, and make there what the callback needs of it"
    );
  }
  // Pulumi's own message is a paragraph that says what failed, one that says why, and the function's code.
  const [what, why] = message.split("\n\n");
  if (why === undefined || !what?.startsWith("Error serializing ")) return message;
  const path = why
    .trim()
    .split(/\s*\n\s*/)
    .join(" ");
  return `a callback cannot be serialized: ${path}. Fix: create inside the callback what cannot be copied into the archive`;
}

async function withModules(text: string, requireFrom: string): Promise<string> {
  // The component's own callbacks are written in one folder.
  const isOwn = requireFrom === functionsFolder;
  try {
    return await (isOwn ? withOwnModules(text) : withUsersModules(text, requireFrom));
  } catch (error) {
    const problem = buildProblem(error as Error | BuildFailure);
    const message = isOwn
      ? `the relay's own functions cannot be bundled: ${problem}. Fix: install the package again`
      : `a callback cannot be bundled with what it requires from ${resolve(requireFrom)} (requireFrom): ${problem}. ` +
        "Fix: install what is missing, or set requireFrom to the folder of the callback's own file (__dirname)";
    throw asOneMessage(new Error(message, { cause: error }));
  }
}

/** What esbuild says, without its heading; each error with its place, unless that is in the serialized text. */
function buildProblem(error: Error | BuildFailure): string {
  if (!("errors" in error)) return error.message.split("\n")[0] ?? "";
  const problems = error.errors.map(({ text, location }) => {
    const place = location && existsSync(location.file) ? ` (${location.file}:${location.line})` : "";
    return `${text}${place}`;
  });
  const more = problems.length > 3 ? [`${problems.length - 3} more`] : [];
  return [...problems.slice(0, 3), ...more].join("; ");
}
