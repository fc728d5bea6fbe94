import { type Environment, json } from "../../environment";
import type { AuthConfig } from "./authenticate";

const AUTH_KINDS = ["cognito", "oidc", "authenticate"];

/** AUTH: the issuer of tokens and the claim with the user's code, or a callback; null means no authentication. */
export function authConfig(environment: Environment): AuthConfig | null {
  const value = json(environment, "AUTH") as Partial<Record<string, unknown>> | null;
  if (value === null) return null;
  if (typeof value !== "object") throw new Error("AUTH is neither a JSON object nor null");
  const kinds = AUTH_KINDS.filter((kind) => value[kind] !== undefined);
  if (kinds.length !== 1) throw new Error(`AUTH has to name exactly one of ${AUTH_KINDS.join(", ")}`);
  const byCallback = value.authenticate !== undefined;
  if (byCallback && value.authenticate !== true) throw new Error("AUTH.authenticate is not true");
  for (const name of byCallback ? ["cookieName"] : ["userClaim", "cookieName"]) {
    if (typeof value[name] !== "string" || value[name] === "")
      throw new Error(`AUTH.${name} is not a non-empty string`);
  }
  if (!["undefined", "boolean"].includes(typeof value.endSessionWithToken)) {
    throw new Error("AUTH.endSessionWithToken is not a boolean");
  }
  return value as unknown as AuthConfig;
}
