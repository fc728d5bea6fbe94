import { type Delivery, USERS } from "./delivery";
import { median, rounded } from "./median";
import type { WorkerAnswer, WorkerRequest } from "./worker";

export interface ThroughputMeasurement {
  batchSize: number;
  parallelInvocations: number;
  /** POSTs at one time, at most: of the bare loop always, of the handler while it does not read sessions. */
  concurrency: number;
  rounds: number;
  messagesPerRound: number;
  deliver: Rate;
  bare: Rate;
  /** Median of the rounds' ratios of messages/s. */
  ratio: number;
  /** The rounds' lowest and highest: how noisy the machine was. */
  ratioRange: [number, number];
}

interface Rate {
  messagesPerSecond: number;
  /** CPU time of the process that sends, table and gateway left out. */
  cpuMsPerMessage: number;
}

const BATCH_SIZE = 10;

/**
 * How fast the deployed deliver handler sends, next to a loop that does the same POSTs by the SDK alone, with the same
 * client options, in the same process, to the same gateway, at the same concurrency; both in turn, medians. Left out: the
 * queue, the network's latency, TLS. Logs are formatted by Node's console and thrown away.
 *
 * A Lambda environment runs one invocation at a time, so several in parallel stand for several environments.
 */
export async function measureThroughput(
  delivery: Delivery,
  parallelInvocations: number,
  rounds: number,
  messagesPerRound: number,
): Promise<ThroughputMeasurement> {
  const concurrency = parallelInvocations * BATCH_SIZE;
  const common = { messages: messagesPerRound, users: USERS, batchSize: BATCH_SIZE };
  const requests: Record<WorkerRequest["run"], WorkerRequest> = {
    deliver: { ...common, run: "deliver", parallel: parallelInvocations },
    bare: { ...common, run: "bare", parallel: concurrency },
  };
  const measured = { deliver: [] as WorkerAnswer[], bare: [] as WorkerAnswer[] };
  // The first round opens the sockets and warms the code: it is not counted.
  for (let round = 0; round <= rounds; round++) {
    // Each goes first in turn: the second collects the garbage of both.
    const order = round % 2 === 0 ? (["deliver", "bare"] as const) : (["bare", "deliver"] as const);
    for (const run of order) {
      const taken = await delivery.run(requests[run]);
      if (round > 0) measured[run].push(taken);
    }
  }
  const rateOf = (taken: WorkerAnswer[]): Rate => ({
    messagesPerSecond: Math.round((messagesPerRound * 1000) / median(taken.map(({ ms }) => ms))),
    cpuMsPerMessage: rounded(median(taken.map(({ cpuMs }) => cpuMs)) / messagesPerRound),
  });
  // Of each round's pair, for a machine's other load changes between the rounds.
  const ratios = measured.deliver.map(({ ms }, round) => (measured.bare[round] as WorkerAnswer).ms / ms);
  const [deliver, bare] = [rateOf(measured.deliver), rateOf(measured.bare)];
  console.error(`bench: sent ${rounds} rounds of ${messagesPerRound} messages at concurrency ${concurrency}`);
  return {
    batchSize: BATCH_SIZE,
    parallelInvocations,
    concurrency,
    rounds,
    messagesPerRound,
    deliver,
    bare,
    ratio: rounded(median(ratios)),
    ratioRange: [rounded(Math.min(...ratios)), rounded(Math.max(...ratios))],
  };
}
