import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import { WebSocket } from "ws";
import { median, percentile, rounded } from "./median";
import { BenchRelay, CONTEXT } from "./relay";
import { relayConfig } from "./relayConfig";

/** A fleet of raw clients in replay mode, all of which return at once to messages that were held for them. */
export interface RawFleetRequest {
  clients: number;
  /** Messages that each of them has missed. */
  held: number;
  /** How often all of them return. */
  rounds: number;
}

export interface RawFleetMeasurement extends RawFleetRequest {
  /** Milliseconds from the WebSocket's `open` to the first held message, and to the last one. */
  firstHeldMs: Percentiles;
  allHeldMs: Percentiles;
  /** Messages that arrived again: raw clients get each at least once. */
  repeated: number;
  /** Handshakes that failed, and were tried again: on a busy machine, a function that starts may exceed its time. */
  refused: number;
  maxEnvironments: number;
}

interface Percentiles {
  p50: number;
  p95: number;
  max: number;
}

interface Returned {
  firstMs: number;
  allMs: number;
  repeated: number;
  refused: number;
}

/** Before a handshake is tried again. */
const PAUSE_MS = 500;
const MAX_HANDSHAKES = 10;

/** On AWS a function's environments are limited by the account only. */
const MAX_ENVIRONMENTS = 10;

export async function measureRawFleet(request: RawFleetRequest): Promise<RawFleetMeasurement> {
  const { clients, held, rounds } = request;
  const relay = await BenchRelay.start({ config: relayConfig("replay"), maxEnvironments: MAX_ENVIRONMENTS });
  try {
    const limit = pLimit(10);
    const users = Array.from({ length: clients }, (_, index) => `raw-${index}`);
    const tokens = await limit.map(users, (user) => relay.token(user));
    await limit.map(tokens, (token) => visit(relay, token, []));
    const taken: Returned[] = [];
    // The first round starts the functions: it is not counted.
    for (let round = 0; round <= rounds; round++) {
      await Promise.all(users.map((user) => relay.untilGone(user)));
      const bodies = Array.from({ length: held }, (_, index) => `${round}-${index}`);
      await limit.map(users, (user) => relay.publish(user, bodies));
      await relay.untilQueueIsEmpty();
      const returned = await Promise.all(tokens.map((token) => visit(relay, token, bodies)));
      if (round > 0) taken.push(...returned);
    }
    console.error(`bench: ${clients} raw clients returned ${rounds} times`);
    return {
      ...request,
      firstHeldMs: percentilesOf(taken.map(({ firstMs }) => firstMs)),
      allHeldMs: percentilesOf(taken.map(({ allMs }) => allMs)),
      repeated: taken.reduce((sum, { repeated }) => sum + repeated, 0),
      refused: taken.reduce((sum, { refused }) => sum + refused, 0),
      maxEnvironments: MAX_ENVIRONMENTS,
    };
  } finally {
    await relay.stop();
  }
}

/** Connects without a subprotocol, receives what was held, and closes the connection. */
async function visit(relay: BenchRelay, token: string, bodies: readonly string[]): Promise<Returned> {
  const url = new URL(relay.addresses.websocketUrl);
  url.search = new URLSearchParams(CONTEXT).toString();
  for (let refused = 0; ; refused++) {
    const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` } });
    try {
      return { ...(await receive(socket, bodies)), refused };
    } catch (error) {
      if (refused + 1 === MAX_HANDSHAKES || !String(error).includes("Unexpected server response")) throw error;
    }
    await delay(PAUSE_MS);
  }
}

/** Resolves once all of these messages have arrived, and the connection is closed. */
function receive(socket: WebSocket, bodies: readonly string[]): Promise<Omit<Returned, "refused">> {
  return new Promise((resolve, reject) => {
    const missing = new Set(bodies);
    let [openedMs, firstMs, allMs, repeated] = [0, 0, 0, 0];
    socket.once("open", () => {
      openedMs = performance.now();
      if (missing.size === 0) socket.close(1000);
    });
    socket.on("message", (data: Buffer) => {
      allMs = performance.now() - openedMs;
      if (missing.size === bodies.length) firstMs = allMs;
      if (!missing.delete(data.toString())) repeated += 1;
      if (missing.size === 0) socket.close(1000);
    });
    socket.on("error", reject);
    socket.once("close", (code) => {
      if (missing.size === 0) resolve({ firstMs, allMs, repeated });
      else reject(new Error(`closed (${code}) without ${[...missing].join(", ")}`));
    });
  });
}

function percentilesOf(values: readonly number[]): Percentiles {
  return {
    p50: rounded(median(values), 0),
    p95: rounded(percentile(values, 0.95), 0),
    max: rounded(Math.max(...values), 0),
  };
}
