import { setting } from "./setting";

export interface Session {
  /** The user's code, as the token's user claim has it. */
  user: string;
  /** A token that the relay accepts. */
  token: string;
  expiresAtMs: number;
}

/**
 * The session of the request's user, or undefined if nobody is signed in. Replace the body with a call of your
 * authentication library: here everybody is user 42, with a token of the local run.
 */
export async function currentSession(): Promise<Session | undefined> {
  const user = "42";
  const response = await fetch(`${setting("LOCAL_TOKEN_URL")}?user=${user}`, { cache: "no-store" });
  if (!response.ok) throw new Error(`no token of the local run: ${response.status}`);
  const token = await response.text();
  const { exp } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { exp: number };
  return { user, token, expiresAtMs: exp * 1000 };
}
