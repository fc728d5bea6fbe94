import * as pulumi from "@pulumi/pulumi";
import { asOneMessage } from "../args/refuse";
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
  if (message.startsWith("Secret outputs cannot be captured")) {
    return (
      "a callback captures a secret output, whose value would be readable in the archive. Fix: pass it in the function's " +
      "environment, encrypted by kmsKeyArn, or read it from Secrets Manager inside the callback"
    );
  }
  // Pulumi's own message is a paragraph that says what failed, one that says why, and the function's code.
  const [what, why] = message.split("\n\n");
  if (why === undefined || !what?.startsWith("Error serializing ")) return message;
  const path = why
    .trim()
    .split(/\s*\n\s*/)
    .join(" ")
    .replace(/\.$/, "");
  return `a callback cannot be serialized: ${path}. Fix: create that value inside the callback`;
}
