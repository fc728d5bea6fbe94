import { refusals } from "../refusals";
import type { Authentication, Authenticator } from "./authenticate";
import { credentialOf } from "./credential";
import { originIsAllowed, tokenRequiresOrigin } from "./origin";
import type { TokenVerifier, Verification } from "./tokenVerifier";

export interface TokenAuthenticatorDependencies {
  verify: TokenVerifier;
  cookieName: string;
  /** As {@link originIsAllowed} takes them; the API's own origins are among them. Null allows every origin. */
  allowedOrigins: readonly string[] | null;
}

/** Authenticates by a token in the Authorization header, the subprotocol or the cookie. */
export function tokenAuthenticator(dependencies: TokenAuthenticatorDependencies): Authenticator {
  const { verify, cookieName, allowedOrigins } = dependencies;
  return {
    async authenticate(request) {
      const { value: credential, reason } = credentialOf(request, cookieName);
      if (reason !== undefined) return { refused: refusals.noCredential(reason) };
      if (tokenRequiresOrigin(request, credential) && !originIsAllowed(request, allowedOrigins)) {
        return { refused: refusals.originNotAllowed() };
      }
      const { length } = credential.tokens;
      if (length > MAX_TOKENS) return { refused: refusals.tooManyCookies(cookieName, length) };
      const judge = credential.source === "cookie" ? (value: string) => judgeCookie(value, verify) : verify;
      const verifications = await Promise.all(credential.tokens.map(judge));
      return authenticationOf(verifications, cookieName);
    },
  };
}

/**
 * Limits what an unauthenticated client may cost. With more, none is verified: a subdomain can set cookies that come before
 * the user's, and if only the first ones were verified, its own token would be the only valid one.
 */
const MAX_TOKENS = 4;

/** A value copied from a header is named in the log: the verifier would only see that it is not a JWT. */
async function judgeCookie(value: string, verify: TokenVerifier): Promise<Verification> {
  if (/^bearer\s/i.test(value)) return { refused: 'the cookie begins with "Bearer ": set it to the token alone' };
  return await verify(value);
}

/** One valid token decides. Of two, the relay cannot tell which user the page means. */
function authenticationOf(verifications: readonly Verification[], cookieName: string): Authentication {
  const valid = verifications.flatMap((each) => (each.refused === undefined ? [each] : []));
  if (valid.length > 1) return { refused: refusals.ambiguousCookie(cookieName, valid.length) };
  const [accepted] = valid;
  if (accepted) return accepted;
  const details = new Set(verifications.map(({ refused }) => refused));
  return { refused: refusals.notAccepted([...details].join("; ")) };
}
