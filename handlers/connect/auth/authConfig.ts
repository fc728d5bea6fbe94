import { type Environment, json, refuseVariable } from "../../environment";
import { isObject } from "../../isObject";
import type { AuthConfig } from "./authenticate";

const AUTH_KINDS = ["cognito", "oidc", "authenticate"];

/** AUTH: the issuer of tokens and the claim with the user's code, or a callback; null means no authentication. */
export function authConfig(environment: Environment): AuthConfig | null {
  const value = json(environment, "AUTH");
  if (value === null) return null;
  if (!isObject(value)) return refuseVariable("AUTH", value, "a JSON object, or null");
  const kinds = AUTH_KINDS.filter((kind) => value[kind] !== undefined);
  if (kinds.length !== 1) refuseVariable("AUTH", kinds, `exactly one of ${AUTH_KINDS.join(", ")}`);
  const byCallback = value.authenticate !== undefined;
  if (byCallback && value.authenticate !== true) refuseVariable("AUTH.authenticate", value.authenticate, "true");
  for (const name of byCallback ? ["cookieName"] : ["userClaim", "cookieName"]) {
    if (typeof value[name] !== "string" || value[name] === "") {
      refuseVariable(`AUTH.${name}`, value[name], "a non-empty string");
    }
  }
  if (!["undefined", "boolean"].includes(typeof value.endSessionWithToken)) {
    refuseVariable("AUTH.endSessionWithToken", value.endSessionWithToken, "true or false");
  }
  return value as unknown as AuthConfig;
}
