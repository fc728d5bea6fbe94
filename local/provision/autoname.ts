import { randomBytes } from "node:crypto";

/** As Pulumi's autonaming does: a name that two stacks, or a replacement and its predecessor, do not share. */
export function autoname(name: string, suffix = ""): string {
  return `${name}-${randomBytes(4).toString("hex").slice(0, 7)}${suffix}`;
}

/** As the provider does with a `namePrefix`: 26 characters after it. */
export function prefixed(namePrefix: string, suffix = ""): string {
  return `${namePrefix}${randomBytes(13).toString("hex")}${suffix}`;
}
