import * as pulumi from "@pulumi/pulumi";
import { refusingLostCaptures } from "./lostCaptures";

/**
 * The text of a CommonJS module that exports `handler`: the callback itself, or what it returns if it is a factory.
 *
 * Rejects if the callback captures a value that cannot be serialized.
 */
export async function serializeCallback(
  callback: (...args: never[]) => unknown,
  isFactoryFunction: boolean,
): Promise<string> {
  try {
    const { text } = await refusingLostCaptures(callback, (serialize) =>
      pulumi.runtime.serializeFunction(callback, { isFactoryFunction, exportName: "handler", serialize }),
    );
    return text;
  } catch (error) {
    // Pulumi writes a captured module as the path of its file; where the package has `exports`, as the export of that file.
    const [, file] = /package\.json export path for "(.+)" not found/.exec((error as Error).message) ?? [];
    if (file === undefined) throw error;
    throw new Error(
      `a callback captures a module or an object of ${file}, which Pulumi does not find among its package's exports (with ` +
        "pnpm it finds none): require the package inside the callback, and create there what the callback needs",
      { cause: error },
    );
  }
}
