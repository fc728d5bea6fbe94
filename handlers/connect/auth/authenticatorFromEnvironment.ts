import { type Environment, stringListOrNull } from "../../environment";
import { authConfig } from "./authConfig";
import type { Authenticator } from "./authenticate";
import { callbackAuthenticator } from "./callbackAuthenticator";
import { loadAuthenticate } from "./loadAuthenticate";
import { queryAuthenticator } from "./queryAuthenticator";
import { tokenAuthenticator } from "./tokenAuthenticator";
import { tokenVerifier } from "./tokenVerifier";

/** The authenticator that AUTH describes. `load` is called if that is the user's own callback. */
export function authenticatorFromEnvironment(environment: Environment, load = loadAuthenticate): Authenticator {
  const auth = authConfig(environment);
  const allowedOrigins = stringListOrNull(environment, "ALLOWED_ORIGINS");
  if (auth === null) return queryAuthenticator;
  const { cookieName } = auth;
  return "authenticate" in auth
    ? callbackAuthenticator({ authenticate: load(environment), cookieName, allowedOrigins })
    : tokenAuthenticator({ verify: tokenVerifier(auth), cookieName, allowedOrigins });
}
