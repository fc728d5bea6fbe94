import { setting } from "./setting.js";

export interface Session {
  /** The user's code, as the token's user claim has it. */
  user: string;
  /** A token that the relay accepts. */
  token: string;
}

/**
 * The session of the request's user. Replace the body with your own login: here everybody is user 42, with a token of the
 * local run.
 */
export async function currentSession(): Promise<Session> {
  const user = "42";
  const response = await fetch(`${setting("LOCAL_TOKEN_URL")}?user=${user}`);
  if (!response.ok) throw new Error(`no token of the local run: ${response.status}`);
  return { user, token: await response.text() };
}
