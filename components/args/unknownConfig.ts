import * as pulumi from "@pulumi/pulumi";
import { refuse, spelling } from "./refuse";

/**
 * Refuses a key of the project's stack config that the program does not read: the CLI lets it through, and what it was
 * meant to change would silently keep its default.
 *
 * @throws pulumi.InputPropertyError naming the key and those there are.
 */
export function refuseUnknownConfig(project: string, known: string[]): void {
  const prefix = `${project}:`;
  for (const qualified of Object.keys(pulumi.runtime.allConfig())) {
    const key = qualified.slice(prefix.length);
    if (qualified.startsWith(prefix) && !known.includes(key)) {
      const fix = `${spelling(key, known)}, or pulumi config rm ${key}`;
      refuse(`config ${key}`, "a key of that name", known.join(", "), fix);
    }
  }
}
