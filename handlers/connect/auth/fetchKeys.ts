import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import https from "node:https";

/** Fetches a key set. */
export type FetchKeys = (uri: string) => Promise<ArrayBuffer>;

export interface FetchKeysOptions {
  /** For one attempt, including the body. @default 3,000 */
  timeoutMs?: number;
  /** @default node:https's global agent */
  agent?: https.Agent;
}

/** Two attempts fit into the time that a handshake has: then keys that were fetched earlier can still be used. */
export const ATTEMPT_TIMEOUT_MS = 3_000;

/** Far more than any identity provider publishes. */
const maxBytes = 512 * 1024;

/**
 * Fetches a key set over https, with one immediate retry if no answer comes. Redirects are not followed: they could lead
 * to another host, or to plain http. By `node:https`, which the AWS SDK has loaded already: the global `fetch` takes some
 * 30 ms to load, in a handshake.
 *
 * @throws Error naming the URI if the answer is not a 200 or is larger than 512 KB.
 */
export async function fetchKeys(uri: string, options: FetchKeysOptions = {}): Promise<ArrayBuffer> {
  const { status, body } = await request(uri, options)
    .catch(() => request(uri, options))
    .catch((error: Error) => {
      // "The operation was aborted" has the time-out as its cause.
      const { message } = error.cause instanceof Error ? error.cause : error;
      throw new Error(`GET ${uri}: ${message}`, { cause: error });
    });
  if (status !== 200) throw new Error(`GET ${uri}: got status ${status}; expected 200`);
  if (body === undefined) throw new Error(`GET ${uri}: got more than ${maxBytes} bytes`);
  return body.buffer.slice(body.byteOffset, body.byteOffset + body.length) as ArrayBuffer;
}

async function request(
  uri: string,
  { timeoutMs = ATTEMPT_TIMEOUT_MS, agent }: FetchKeysOptions,
): Promise<{ status?: number; body?: Buffer }> {
  const options = {
    headers: { accept: "application/json", "accept-encoding": "identity" },
    signal: AbortSignal.timeout(timeoutMs),
    agent,
  };
  const [response] = (await once(https.get(uri, options), "response")) as [IncomingMessage];
  const status = response.statusCode;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early closes the connection, with what is left of the body.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (status !== 200 || bytes > maxBytes) return { status };
    chunks.push(chunk);
  }
  return { status, body: Buffer.concat(chunks) };
}
