/** Fetches a key set. */
export type FetchKeys = (uri: string) => Promise<ArrayBuffer>;

/** For one attempt, the body included: two of them fit into the time that a handshake has. */
const timeoutMs = 3_000;

/** Far more than any identity provider publishes. */
const maxBytes = 512 * 1024;

/**
 * Fetches a key set, with one immediate retry if no answer comes. Redirects are not followed: they could lead to another
 * host, or to plain http. Node's own `fetch` trusts NODE_EXTRA_CA_CERTS, which a local run needs.
 *
 * @throws Error naming the URI if the answer is not a 200 or is larger than 512 KB.
 */
export async function fetchKeys(uri: string): Promise<ArrayBuffer> {
  const { status, body } = await request(uri)
    .catch(() => request(uri))
    .catch((error: Error) => {
      // `fetch` itself says "fetch failed"; the reason is in its cause.
      const { message } = error.cause instanceof Error ? error.cause : error;
      throw new Error(`GET ${uri}: ${message}`, { cause: error });
    });
  if (status !== 200) throw new Error(`GET ${uri}: got status ${status}; expected 200`);
  if (body === undefined) throw new Error(`GET ${uri}: got more than ${maxBytes} bytes`);
  return body;
}

async function request(uri: string): Promise<{ status: number; body?: ArrayBuffer }> {
  const headers = { accept: "application/json" };
  const response = await fetch(uri, { headers, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
  const { status } = response;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (status !== 200 || bytes > maxBytes) return { status };
    chunks.push(chunk);
  }
  return { status, body: await new Blob(chunks).arrayBuffer() };
}
