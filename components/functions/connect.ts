import * as pulumi from "@pulumi/pulumi";
import type { ResolvedArgs } from "../args/args";
import { resolveAuth } from "../args/authArgs";
import { checkedOrigins } from "../args/originArgs";
import { bundleCallback } from "../lambda/bundle";
import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, RelayParts } from "./relayFunction";

/** Called for `$connect`. */
export const connectCallbacks = {
  retry: {
    module: "../../handlers/connect/connect",
    factory: () => {
      const handler = require("../../handlers/connect/connect") as typeof import("../../handlers/connect/connect");
      return handler.connectFromEnvironment(process.env);
    },
  },
  replay: {
    module: "../../handlers/connect/connectReplay",
    factory: () => {
      const handler =
        require("../../handlers/connect/connectReplay") as typeof import("../../handlers/connect/connectReplay");
      return handler.connectReplayFromEnvironment(process.env);
    },
  },
} satisfies Record<string, OwnCallback>;

export type ConnectSettings = Pick<ResolvedArgs, "delivery" | "auth" | "allowedOrigins" | "sessionTtlSeconds">;

export function connectSpec(
  { sessionTable, gateway, relayName }: RelayParts,
  { delivery, auth, allowedOrigins, sessionTtlSeconds }: ConnectSettings,
): FunctionSpec {
  const checked = checkedOrigins(allowedOrigins);
  const origins = pulumi
    .all([checked, gateway.origins])
    .apply(([allowed, own]) => (allowed === null ? null : [...new Set([...own, ...allowed])]));
  const replays = delivery === "replay";
  return {
    callback: connectCallbacks[delivery],
    // A file of its own: a change of the user's code leaves the relay's unchanged.
    files: auth?.authenticate && { "authenticate.js": bundleCallback(auth.authenticate, auth.requireFrom) },
    environment: {
      TABLE_NAME: sessionTable.tableName,
      SESSION_TTL_SECONDS: String(sessionTtlSeconds),
      AUTH: pulumi.jsonStringify(pulumi.all([auth, checked]).apply(([auth, allowed]) => resolveAuth(auth, allowed))),
      ALLOWED_ORIGINS: pulumi.jsonStringify(origins),
      RELAY_NAME: relayName,
      ...(replays && { MANAGEMENT_ENDPOINT: gateway.managementEndpoint }),
    },
    statements: [
      sessionTable.statement("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
      // It tells a connection that another one has taken over its session.
      ...(replays ? [gateway.manageConnectionsStatement("POST")] : []),
    ],
    timeoutSeconds: 10,
  };
}
