import { randomBytes } from "node:crypto";

/** As Pulumi's autonaming does: a name that two stacks, or a replacement and its predecessor, do not share. */
export function autoname(name: string, suffix = ""): string {
  return `${name}-${randomBytes(4).toString("hex").slice(0, 7)}${suffix}`;
}
