import { type User, UserManager } from "oidc-client-ts";
import type { Token } from "pulumi-websocket-relay-client";
import type { Settings } from "./settings";

/** A token that ends sooner is renewed before it is used for a connection. */
const LEAST_SECONDS = 60;

export interface SignedInUser {
  /** The `sub` of the tokens: the user to whom the backend publishes. */
  id: string;
  name: string;
}

/** Cognito's sign-in pages, by the authorization code flow with PKCE. The tokens stay in this tab's sessionStorage. */
export class SignIn {
  private readonly manager: UserManager;
  private renewal: Promise<User | null> | undefined;

  constructor(private readonly settings: Settings) {
    this.manager = new UserManager({
      authority: settings.authority,
      client_id: settings.clientId,
      redirect_uri: `${location.origin}/`,
      scope: "openid email",
      // A token is renewed when a connection needs one, see `token`.
      automaticSilentRenew: false,
    });
  }

  /** The user who is signed in. Where Cognito has just redirected here, it completes the sign-in. Call it once a page. */
  async user(): Promise<SignedInUser | undefined> {
    let user = await this.manager.getUser();
    if (new URLSearchParams(location.search).has("state")) {
      try {
        user = (await this.manager.signinCallback()) ?? null;
      } finally {
        // The code works once: a reload must not send it again.
        history.replaceState(null, "", "/");
      }
    }
    return user ? { id: user.profile.sub, name: user.profile.email ?? user.profile.sub } : undefined;
  }

  /** Leaves the page for Cognito's. */
  async start(): Promise<void> {
    await this.manager.signinRedirect();
  }

  /** A token for a new connection, renewed by the refresh token if it is about to end. */
  readonly token = async (): Promise<Token> => {
    let user = await this.manager.getUser();
    if (!user || (user.expires_in ?? 0) < LEAST_SECONDS) user = await this.renew();
    if (!user?.expires_at) throw new Error("the sign-in has ended");
    return { token: user.access_token, expiresAtMs: user.expires_at * 1000 };
  };

  /** One at a time: a refresh token that is rotated works once. */
  private renew(): Promise<User | null> {
    return (this.renewal ??= this.manager.signinSilent().finally(() => (this.renewal = undefined)));
  }

  async end(): Promise<void> {
    await this.manager.removeUser();
    const query = new URLSearchParams({ client_id: this.settings.clientId, logout_uri: `${location.origin}/` });
    location.assign(`${this.settings.signOutUrl}?${query.toString()}`);
  }
}
