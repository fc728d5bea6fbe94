import type { Authenticator } from "./authenticate";
import { credentialOf } from "./credential";
import { originIsAllowed } from "./origin";
import { refusals } from "./refusals";
import type { TokenVerifier } from "./tokenVerifier";

export interface TokenAuthenticatorDependencies {
  verify: TokenVerifier;
  cookieName: string;
  /** Compared exactly, scheme, host and port; the API's own origin is among them. Null allows every origin. */
  allowedOrigins: readonly string[] | null;
}

/** Authenticates by a token in the Authorization header, the subprotocol or the cookie. */
export function tokenAuthenticator(dependencies: TokenAuthenticatorDependencies): Authenticator {
  const { verify, cookieName, allowedOrigins } = dependencies;
  return {
    async authenticate(handshake) {
      const { value: credential, reason } = credentialOf(handshake, cookieName);
      if (reason !== undefined) return { refused: refusals.noCredential(reason) };
      // A page's script cannot set Authorization; and native clients send it beside an Origin of their own.
      if (credential.source !== "authorization" && !originIsAllowed(handshake, allowedOrigins)) {
        return { refused: refusals.originNotAllowed() };
      }
      const verification = await verify(credential.token);
      const { refused } = verification;
      return refused === undefined ? verification : { refused: refusals.notAccepted(refused) };
    },
  };
}
