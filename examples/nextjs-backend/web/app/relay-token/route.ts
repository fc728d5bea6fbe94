import { currentSession } from "../../server/session";

/** A token for the page's connection, which a page's script cannot read from an HttpOnly cookie. */
export async function GET(): Promise<Response> {
  const session = await currentSession();
  if (!session) return Response.json({ error: "sign in first" }, { status: 401 });
  const { token, expiresAtMs } = session;
  return Response.json({ token, expiresAtMs }, { headers: { "cache-control": "no-store" } });
}
