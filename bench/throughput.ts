import { type Delivery, USERS } from "./delivery";
import { median, rounded } from "./median";
import type { WorkerAnswer, WorkerRequest } from "./worker";

export interface Comparison {
  rounds: number;
  messagesPerRound: number;
  subject: Rate;
  reference: Rate;
  /** Median of the rounds' ratios of messages/s. */
  ratio: number;
  /** The rounds' lowest and highest: how noisy the machine was. */
  ratioRange: [number, number];
}

export interface ThroughputMeasurement extends Omit<Comparison, "subject" | "reference"> {
  batchSize: number;
  parallelInvocations: number;
  /** POSTs at one time, at most: of the bare loop always, of the handler while it does not read sessions. */
  concurrency: number;
  deliver: Rate;
  bare: Rate;
}

export interface ReplayThroughputMeasurement extends Omit<Comparison, "subject" | "reference"> {
  batchSize: number;
  parallelInvocations: number;
  replay: Rate;
  retry: Rate;
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
  const { subject, reference, ...compared } = await compare(
    () => delivery.run({ ...common, run: "deliver", parallel: parallelInvocations }),
    () => delivery.run({ ...common, run: "bare", parallel: concurrency }),
    rounds,
    messagesPerRound,
  );
  console.error(`bench: sent ${rounds} rounds of ${messagesPerRound} messages at concurrency ${concurrency}`);
  return { batchSize: BATCH_SIZE, parallelInvocations, concurrency, ...compared, deliver: subject, bare: reference };
}

/**
 * What it costs to store each message before it is sent: the deliver handler of replay mode next to that of retry mode, each
 * with a table and a gateway of its own. Two writes and a read a message are mostly the table's work, which here is dynalite:
 * about a thousand writes a second.
 */
export async function measureReplayThroughput(
  deliveries: Record<"replay" | "retry", Delivery>,
  parallelInvocations: number,
  rounds: number,
  messagesPerRound: number,
): Promise<ReplayThroughputMeasurement> {
  const request: WorkerRequest = {
    run: "deliver",
    messages: messagesPerRound,
    users: USERS,
    batchSize: BATCH_SIZE,
    parallel: parallelInvocations,
  };
  const { subject, reference, ...compared } = await compare(
    () => deliveries.replay.run(request),
    () => deliveries.retry.run(request),
    rounds,
    messagesPerRound,
  );
  console.error(`bench: sent ${rounds} rounds of ${messagesPerRound} messages by replay and by retry`);
  return { batchSize: BATCH_SIZE, parallelInvocations, ...compared, replay: subject, retry: reference };
}

async function compare(
  subject: () => Promise<WorkerAnswer>,
  reference: () => Promise<WorkerAnswer>,
  rounds: number,
  messagesPerRound: number,
): Promise<Comparison> {
  const measured: [WorkerAnswer, WorkerAnswer][] = [];
  // The first round opens the sockets and warms the code: it is not counted.
  for (let round = 0; round <= rounds; round++) {
    const taken: Partial<[WorkerAnswer, WorkerAnswer]> = [];
    // Each goes first in turn: the second collects the garbage of both.
    for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      taken[which] = await (which === 0 ? subject() : reference());
    }
    if (round > 0) measured.push(taken as [WorkerAnswer, WorkerAnswer]);
  }
  const rateOf = (taken: WorkerAnswer[]): Rate => ({
    messagesPerSecond: Math.round((messagesPerRound * 1000) / median(taken.map(({ ms }) => ms))),
    cpuMsPerMessage: rounded(median(taken.map(({ cpuMs }) => cpuMs)) / messagesPerRound),
  });
  // Of each round's pair, for a machine's other load changes between the rounds.
  const ratios = measured.map(([subject, reference]) => reference.ms / subject.ms);
  return {
    rounds,
    messagesPerRound,
    subject: rateOf(measured.map(([subject]) => subject)),
    reference: rateOf(measured.map(([, reference]) => reference)),
    ratio: rounded(median(ratios)),
    ratioRange: [rounded(Math.min(...ratios)), rounded(Math.max(...ratios))],
  };
}
