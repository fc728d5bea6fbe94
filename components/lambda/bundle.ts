import * as pulumi from "@pulumi/pulumi";
import { refusingLostCaptures } from "./lostCaptures";
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
  const text = await serialized(callback, isFactoryFunction);
  // The component's own callbacks are written in one folder.
  return requireFrom === functionsFolder ? withOwnModules(text) : withUsersModules(text, requireFrom);
}

async function serialized(callback: (...args: never[]) => unknown, isFactoryFunction: boolean): Promise<string> {
  try {
    const { text } = await refusingLostCaptures(callback, (serialize) =>
      pulumi.runtime.serializeFunction(callback, { isFactoryFunction, exportName: "handler", serialize }),
    );
    return text;
  } catch (error) {
    // Pulumi writes a captured module as the path of its file; where the package has `exports`, as what exports that file.
    const [, file] = /package\.json export path for "(.+)" not found/.exec((error as Error).message) ?? [];
    if (file === undefined) throw error;
    throw new Error(
      `a callback captures a module or an object of ${file}, which Pulumi does not find among its package's exports (with ` +
        "pnpm it finds none): require the package inside the callback, and make there what the callback needs of it",
      { cause: error },
    );
  }
}
