import { resolve } from "node:path";
import { asOneMessage } from "../args/refuse";
import { buildProblem } from "./buildProblem";
import { serializeCallback } from "./serialize";
import { withUsersModules } from "./usersModules";

/**
 * The text of a CommonJS module that exports as `handler` the return value of `callbackFactory`, with every module that it
 * reaches by `require`. The same program gives the same text on every machine: an unchanged function has an unchanged hash.
 *
 * Rejects if the callback captures a value that cannot be serialized, or if a module cannot be found.
 *
 * @param requireFrom Folder from which its `require`s resolve, of files and of packages. @default the program's folder
 */
export async function bundle(callbackFactory: () => unknown, requireFrom = process.cwd()): Promise<string> {
  return bundled(await serializeCallback(callbackFactory, true), requireFrom);
}

/** {@link bundle} of a callback that is the handler itself, not a factory. */
export async function bundleCallback(
  callback: (...args: never[]) => unknown,
  requireFrom = process.cwd(),
): Promise<string> {
  return bundled(await serializeCallback(callback, false), requireFrom);
}

async function bundled(text: string, requireFrom: string): Promise<string> {
  try {
    return await withUsersModules(text, requireFrom);
  } catch (error) {
    const message =
      `a callback cannot be bundled with what it requires from ${resolve(requireFrom)} (requireFrom): ` +
      `${buildProblem(error as Error)}. ` +
      "Fix: install what is missing, or set requireFrom to the folder of the callback's own file (__dirname)";
    throw asOneMessage(new Error(message, { cause: error }));
  }
}
