import { BACKOFF_BASE_MS, BACKOFF_CAP_MS } from "../../client";
import { fullJitterMs } from "../../client/backoff";
import { mulberry32 } from "../../tests/support/mulberry32";
import { percentile, rounded } from "../median";
import { FleetGateway, type GatewayOptions } from "./gateway";
import { ASSUMED_MS, LIMITS } from "./limits";
import { WholeClients } from "./wholeClients";

export interface ReconnectRequest extends Partial<GatewayOptions> {
  clients: number;
  /** How many of them are whole `RelayClient`s; the others are the client's back-off alone, which costs 16 bytes each. */
  wholeClients: number;
  /** Messages, heartbeats and deliveries of the account meanwhile. @default 0 */
  otherRequestsPerSecond?: number;
  /** The pause after this number of failures. @default that of the client, with its default options */
  pauseMs?: (failures: number, random: () => number) => number;
  /** After so much time, the rest counts as not back. @default 20,000 */
  maxSeconds?: number;
  seed?: number;
}

export interface ReconnectMeasurement {
  clients: number;
  wholeClients: number;
  /** From the loss of all connections, or the end of the outage, until the last client is back. Null if some are not. */
  allBackSeconds: number | null;
  /** Until half of those that are back were. */
  p50Seconds: number;
  /** The same of the whole clients: until they have resumed. */
  wholeP50Seconds: number | null;
  /** Handshakes a second, refused ones too, on average in the first minute and in the one after it. */
  handshakesPerSecond: { firstMinute: number; secondMinute: number };
  /** The part of the account's other requests that was refused. */
  othersRefused: number;
  /** The most invocations of `connect` at one time. */
  connectPeak: number;
  /** Calls to the session table and the history for each connection of a whole client, by name. */
  callsPerConnection: Record<string, number>;
}

const TICK_MS = 10;
const NO_CLIENT = -1;

/** All clients lose their connections at one time, and come back by the client's own back-off, in virtual time. */
export async function measureReconnect(request: ReconnectRequest): Promise<ReconnectMeasurement> {
  const { clients, wholeClients, otherRequestsPerSecond = 0, maxSeconds = 20_000, seed = 1 } = request;
  const { countsRefused = false, outageMs = 0, concurrentExecutions = LIMITS.concurrentExecutions } = request;
  const { pauseMs = (failures, random) => fullJitterMs(failures, random, BACKOFF_BASE_MS, BACKOFF_CAP_MS) } = request;
  const random = mulberry32(seed);
  const gateway = new FleetGateway({ countsRefused, concurrentExecutions, outageMs });
  const whole = await WholeClients.connected(wholeClients, gateway, seed);

  // Lists of the clients that try at each tick: a heap of a million timers would take minutes.
  const [lastTick, count] = [(maxSeconds * 1000) / TICK_MS, clients - wholeClients];
  const first = new Int32Array(lastTick).fill(NO_CLIENT);
  const next = new Int32Array(count);
  const failures = new Uint8Array(count);
  const backMs: number[] = [];
  const fail = (client: number, nowMs: number, roundTripMs: number) => {
    const pause = pauseMs(failures[client] as number, random);
    failures[client] = Math.min((failures[client] as number) + 1, 255);
    const tick = Math.ceil((nowMs + roundTripMs + pause) / TICK_MS);
    if (tick >= lastTick) return;
    next[client] = first[tick] as number;
    first[tick] = client;
  };
  for (let client = 0; client < count; client++) fail(client, 0, 0);
  whole.lose();

  let [others, othersRefused, othersDue] = [0, 0, 0];
  const due: number[] = [];
  for (let tick = 0; tick < lastTick && backMs.length + whole.back < clients; tick++) {
    const nowMs = tick * TICK_MS;
    due.length = 0;
    for (let client = first[tick] as number; client !== NO_CLIENT; client = next[client] as number) due.push(client);
    othersDue += (otherRequestsPerSecond * TICK_MS) / 1000;
    // In a random order: none of them is first at the bucket.
    const wholeAt = Math.floor(random() * (due.length + 1));
    if (wholeAt === due.length) await whole.advance(nowMs);
    for (let left = due.length; left > 0 || othersDue >= 1;) {
      if (othersDue >= 1 && random() * (left + othersDue) >= left) {
        othersDue--;
        others++;
        if (!gateway.request(nowMs)) othersRefused++;
        continue;
      }
      const client = due[--left] as number;
      const durationMs = gateway.handshake(nowMs);
      if (durationMs === undefined) fail(client, nowMs, ASSUMED_MS.network);
      else backMs.push(nowMs - outageMs + durationMs + ASSUMED_MS.network);
      if (left === wholeAt) await whole.advance(nowMs);
    }
  }
  whole.close();
  const wholeMs = whole.backMs.map((atMs) => atMs - outageMs);
  const allMs = [...wholeMs, ...backMs];
  const [handshakes = 0, later = 0] = gateway.handshakesByMinute;
  const secondsOf = (values: readonly number[], part: number) => rounded(percentile(values, part) / 1000, 1);
  return {
    clients,
    wholeClients,
    allBackSeconds: allMs.length === clients ? secondsOf(allMs, 1) : null,
    p50Seconds: secondsOf(allMs, 0.5),
    wholeP50Seconds: wholeMs.length > 0 ? secondsOf(wholeMs, 0.5) : null,
    handshakesPerSecond: { firstMinute: Math.round(handshakes / 60), secondMinute: Math.round(later / 60) },
    othersRefused: others > 0 ? rounded(othersRefused / others) : 0,
    connectPeak: gateway.connect.peak,
    callsPerConnection: whole.callsPerConnection(),
  };
}
