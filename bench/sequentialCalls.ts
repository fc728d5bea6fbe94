import { median, rounded } from "./median";
import { epochMs } from "./epochMs";
import { Reception } from "./reception";
import type { ServiceCall } from "./recorder";
import type { BenchRelay } from "./relay";
import { missMessages, PlayedClient } from "./relayPlayer";

export interface SequentialCallsMeasurement {
  /** Of every reconnect the same, or the most. */
  calls: number;
  /** What was asked side by side, step by step: `resume: GetItem table`. The last step is the POST that carries the message. */
  steps: string[][];
  reconnects: number;
  answerDelayMs: number;
  /** From `open` to the first missed message with that delay: as many delays as calls, and the functions' own time. */
  firstMissedMs: number;
  note: string;
}

/** Far longer than what the functions do between two calls. */
const ANSWER_DELAY_MS = 50;

/**
 * Which calls to services lie between the client's `open` and its first missed message, in a chain: as on AWS each of them
 * takes its time. They are recorded where they arrive, at table, management API, queue and topic, whoever makes them.
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
    // The first one starts the functions.
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
    note: "A call counts once more than the most of those that were answered before it was asked; so what is asked side by side counts once. Every answer is held back for a while, so that calls which do not wait for each other overlap for certain.",
  };
}

async function reconnect(relay: BenchRelay, user: string, missed: number) {
  const cursor = await missMessages(relay, user, "missed", missed);
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

/** The poller's calls and the sweeper's come and go by themselves. */
function isOnATimer({ by, operation }: ServiceCall): boolean {
  return by === "expire" || operation === "ReceiveMessage" || operation === "GetQueueAttributes";
}

/** Calls by how many others had to be answered, one after the other, before each was asked. */
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
