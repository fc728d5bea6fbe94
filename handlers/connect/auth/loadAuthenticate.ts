import { join } from "node:path";
import type { Environment } from "../../environment";
import type { Authenticate } from "./authenticate";

/**
 * Loads the user's callback from a file of its own in the archive, so that the relay's bundle does not depend on it. The path
 * is only known at run time, and a bundler leaves such a `require` unchanged.
 */
export function loadAuthenticate(environment: Environment): Authenticate {
  const { LAMBDA_TASK_ROOT: folder } = environment;
  if (!folder) throw new Error("LAMBDA_TASK_ROOT is not set. Fix: run the function on Lambda, which sets it");
  const path = join(folder, "authenticate.js");
  const { handler } = require(path) as { handler?: unknown };
  if (typeof handler !== "function") throw new Error(`${path} exports no function named handler`);
  return handler as Authenticate;
}
