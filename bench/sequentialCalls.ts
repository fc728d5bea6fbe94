import { BODIES } from "./bodies";
import { median, rounded } from "./median";
import { epochMs } from "./epochMs";
import { Reception } from "./reception";
import type { ServiceCall } from "./recorder";
import type { BenchRelay } from "./relay";
import { missMessages, PlayedClient } from "./relayPlayer";

export interface SequentialCallsMeasurement {
  /** The number of steps, of the reconnect with the most. */
  calls: number;
  /** The parallel calls of each step, such as `resume: GetItem table`. The last step is the POST with the message. */
  steps: string[][];
  reconnects: number;
  answerDelayMs: number;
  /** From `open` to the first missed message with that delay: one delay per step, plus the functions' own time. */
  firstMissedMs: number;
  note: string;
}

/** Far longer than the functions' own work between two calls. */
const ANSWER_DELAY_MS = 50;

/**
 * Counts the sequential calls to services between the client's `open` and its first missed message, since on AWS each of them
 * takes time. They are recorded at the table, management API, queue and topic, for all callers.
 */
export async function measureSequentialCalls(
  relay: BenchRelay,
  reconnects: number,
  missed: number,
): Promise<SequentialCallsMeasurement> {
  const chains: string[][][] = [];
  const times: number[] = [];
  for (let round = 0; round <= reconnects; round++) {
    const { calls, firstMs } = await reconnect(relay, `sequence-${round}`, missed);
    // The first reconnect starts the functions.
    if (round === 0) continue;
    chains.push(stepsOf(calls));
    times.push(firstMs);
  }
  console.error(`bench: counted the calls of ${reconnects} reconnects`);
  const longest = chains.reduce((most, steps) => (steps.length > most.length ? steps : most), []);
  return {
    calls: longest.length,
    steps: longest,
    reconnects,
    answerDelayMs: ANSWER_DELAY_MS,
    firstMissedMs: rounded(median(times), 1),
    note: "A call is one step after the last of the calls that were answered before it started, so parallel calls count once. Every response is delayed, so that calls that do not wait for each other overlap.",
  };
}

async function reconnect(relay: BenchRelay, user: string, missed: number) {
  const cursor = await missMessages(relay, user, BODIES.slice(0, missed));
  await relay.record(ANSWER_DELAY_MS);
  const reception = new Reception();
  const times = reception.measure(missed);
  const client = await PlayedClient.connect(relay, user, reception, cursor);
  try {
    const { firstMs } = await times;
    const openedMs = epochMs() - (performance.now() - reception.openedAtMs);
    const { calls } = await relay.recorded();
    const isBetween = ({ startMs }: ServiceCall) => startMs >= openedMs && startMs <= openedMs + firstMs;
    return { firstMs, calls: calls.filter((call) => isBetween(call) && !isOnATimer(call)) };
  } finally {
    client.close();
  }
}

/** The calls of the poller and the sweeper are on a timer. */
function isOnATimer({ by, operation }: ServiceCall): boolean {
  return by === "expire" || operation === "ReceiveMessage" || operation === "GetQueueAttributes";
}

/** Groups calls into steps by the number of sequential calls that were answered before each of them started. */
export function stepsOf(
  calls: readonly Pick<ServiceCall, "by" | "service" | "operation" | "startMs" | "endMs">[],
): string[][] {
  const inOrder = [...calls].sort((a, b) => a.startMs - b.startMs);
  const depths = new Map<object, number>();
  const steps: string[][] = [];
  for (const call of inOrder) {
    const before = inOrder.filter(({ endMs = Infinity }) => endMs <= call.startMs);
    const depth = Math.max(0, ...before.map((each) => (depths.get(each) ?? 0) + 1));
    depths.set(call, depth);
    (steps[depth] ??= []).push(`${call.by}: ${call.operation} ${call.service}`);
  }
  return steps;
}
