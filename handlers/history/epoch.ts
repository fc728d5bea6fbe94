import { randomBytes } from "node:crypto";
import { EPOCH_CHARACTERS } from "./messageEnvelope";

/** Names a sequence: 72 random bits. */
export function newEpoch(): string {
  return randomBytes((EPOCH_CHARACTERS * 3) / 4).toString("base64url");
}
