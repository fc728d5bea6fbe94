import * as pulumi from "@pulumi/pulumi";
import type { ResolvedArgs } from "../args/args";
import { resolveAuth } from "../args/authArgs";
import { checkedOrigins } from "../args/originArgs";
import { bundleCallback } from "../lambda/bundle";
import type { FunctionSpec } from "./relayFunction";

export type AuthenticationSettings = Pick<ResolvedArgs, "auth" | "allowedOrigins">;

/**
 * What a function needs to authenticate clients.
 *
 * @param ownOrigins Always allowed.
 */
export function authentication(
  { auth, allowedOrigins }: AuthenticationSettings,
  ownOrigins: pulumi.Input<string[]> = [],
): Pick<FunctionSpec, "files" | "environment"> {
  const checked = checkedOrigins(allowedOrigins);
  const origins = pulumi
    .all([checked, ownOrigins])
    .apply(([allowed, own]) => (allowed === null ? null : [...new Set([...own, ...allowed])]));
  return {
    // A file of its own: a change of the user's code leaves the relay's unchanged.
    files: auth?.authenticate && { "authenticate.js": bundleCallback(auth.authenticate, auth.requireFrom) },
    environment: {
      AUTH: pulumi.jsonStringify(pulumi.all([auth, checked]).apply(([auth, allowed]) => resolveAuth(auth, allowed))),
      ALLOWED_ORIGINS: pulumi.jsonStringify(origins),
    },
  };
}
