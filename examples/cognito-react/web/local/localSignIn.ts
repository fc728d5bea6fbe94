import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { Connect, Plugin } from "vite";

const base = "/local-sign-in";
const clientId = "local-page";

/** What is used here of what `npm start -- --json` prints. */
interface Relay {
  websocketUrl: string;
  tokenUrl: string;
}

interface Grant {
  user: string;
  lifetimeSeconds: string;
}

/**
 * Stands in for Cognito's sign-in pages on one machine: the same redirects, code, PKCE and refresh token, but any user name is
 * accepted. The tokens are the local run's, which its relay accepts in the place of Cognito's.
 *
 * @param relayFile The addresses of the local run. They are read with each request, so the run may start later.
 */
export function localSignIn(relayFile: string): Plugin {
  const codes = new Map<string, Grant & { challenge: string; redirectUri: string }>();
  const refreshTokens = new Map<string, Grant>();

  const answer = async (request: IncomingMessage, origin: string): Promise<Response | undefined> => {
    const url = new URL(request.url ?? "/", origin);
    const relay = async () => JSON.parse(await readFile(relayFile, "utf8")) as Relay;
    switch (url.pathname) {
      case "/settings.json": {
        const { websocketUrl } = await relay();
        return Response.json({
          websocketUrl,
          authority: origin + base,
          clientId,
          signOutUrl: `${origin}${base}/logout`,
        });
      }
      case `${base}/.well-known/openid-configuration`:
        return Response.json({
          issuer: origin + base,
          authorization_endpoint: `${origin}${base}/oauth2/authorize`,
          token_endpoint: `${origin}${base}/oauth2/token`,
        });
      case `${base}/oauth2/authorize`:
        return authorize(url.searchParams, origin);
      case `${base}/oauth2/token`:
        return token(new URLSearchParams(await text(request)), (await relay()).tokenUrl);
      case `${base}/logout`:
        return Response.redirect(`${origin}/`);
    }
    return undefined;
  };

  /** Shows the form, which comes back here with a user. */
  const authorize = (query: URLSearchParams, origin: string): Response => {
    const asked = (name: string) => query.get(name) ?? "";
    const redirectUri = asked("redirect_uri");
    if (
      asked("client_id") !== clientId ||
      redirectUri !== `${origin}/` ||
      asked("response_type") !== "code" ||
      asked("code_challenge_method") !== "S256"
    ) {
      return new Response("invalid_request: another client, redirect URI or flow than the page's", { status: 400 });
    }
    const user = asked("user");
    if (user === "") return new Response(form(query), { headers: { "content-type": "text/html" } });
    const code = randomUUID();
    const challenge = asked("code_challenge");
    codes.set(code, { user, lifetimeSeconds: asked("lifetimeSeconds"), challenge, redirectUri });
    return Response.redirect(`${redirectUri}?${new URLSearchParams({ code, state: asked("state") }).toString()}`);
  };

  const token = async (body: URLSearchParams, tokenUrl: string): Promise<Response> => {
    const refreshToken = body.get("refresh_token") ?? randomUUID();
    const grant =
      body.get("grant_type") === "refresh_token" ? refreshTokens.get(refreshToken) : redeem(body.get("code"), body);
    if (!grant || body.get("client_id") !== clientId) return Response.json({ error: "invalid_grant" }, { status: 400 });
    refreshTokens.set(refreshToken, grant);
    const { user, lifetimeSeconds } = grant;
    const query = new URLSearchParams({ user, expiresInSeconds: lifetimeSeconds });
    const jwt = await (await fetch(`${tokenUrl}?${query.toString()}`)).text();
    return Response.json({
      access_token: jwt,
      id_token: jwt,
      refresh_token: refreshToken,
      token_type: "Bearer",
      expires_in: Number(lifetimeSeconds),
    });
  };

  const redeem = (code: string | null, body: URLSearchParams): Grant | undefined => {
    const grant = codes.get(code ?? "");
    codes.delete(code ?? "");
    const verifier = createHash("sha256").update(body.get("code_verifier") ?? "");
    const isTheirs = verifier.digest("base64url") === grant?.challenge;
    return isTheirs && body.get("redirect_uri") === grant.redirectUri ? grant : undefined;
  };

  const respond = async (request: IncomingMessage, response: ServerResponse, next: Connect.NextFunction) => {
    const answered = await answer(request, `http://${request.headers.host}`);
    if (!answered) return next();
    response.writeHead(answered.status, Object.fromEntries(answered.headers)).end(await answered.text());
  };
  const middleware: Connect.NextHandleFunction = (...args) => void respond(...args).catch(args[2]);
  return {
    name: "local-sign-in",
    configureServer: ({ middlewares }) => void middlewares.use(middleware),
    configurePreviewServer: ({ middlewares }) => void middlewares.use(middleware),
  };
}

function form(query: URLSearchParams): string {
  const hidden = [...query].map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}" />`);
  return `<!doctype html>
<title>Sign in locally</title>
<link rel="icon" href="data:," />
<form action="${base}/oauth2/authorize">
  ${hidden.join("\n  ")}
  <label>User <input name="user" value="42" required autofocus /></label>
  <label>Token lifetime in seconds <input name="lifetimeSeconds" value="3600" required /></label>
  <button>Sign in</button>
</form>
`;
}

function escaped(value: string): string {
  return value.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
