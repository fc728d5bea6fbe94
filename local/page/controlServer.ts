/** The page's requests to the server that served it. Errors carry the server's message. */
export interface Relay {
  websocketUrl: string;
  delivery: "retry" | "replay";
}

export interface Publication {
  user: string;
  context: string;
  contextId: string;
  message: string;
  messageId?: string;
}

export async function relay(): Promise<Relay> {
  return (await ask("/relay")).json() as Promise<Relay>;
}

export async function token(user: string): Promise<string> {
  return (await ask(`/token?${new URLSearchParams({ user })}`)).text();
}

export async function publish(publication: Publication): Promise<void> {
  await ask("/publish", publication);
}

/** The connection whose handshake named this tag; undefined where there is none (any more). */
export async function connectionOf(tag: string): Promise<string | undefined> {
  const all = (await (await ask("/connections")).json()) as { id: string; tag?: string }[];
  return all.find((connection) => connection.tag === tag)?.id;
}

export async function cut(connectionId: string, how: "half-open" | "drop"): Promise<void> {
  await ask(`/connections/${encodeURIComponent(connectionId)}/${how}`, {});
}

export async function loseNextDisconnect(): Promise<void> {
  await ask("/faults", { disconnects: "lose", times: 1 });
}

async function ask(path: string, body?: object): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(path, body && { method: "POST", headers, body: JSON.stringify(body) });
  if (response.ok) return response;
  const { message = response.statusText } = (await response.json().catch(() => ({}))) as { message?: string };
  throw new Error(message);
}
