import type { Delivery } from "./delivery";
import { median, rounded } from "./median";
import type { WorkerAnswer, WorkerRequest } from "./worker";

export interface Comparison {
  rounds: number;
  messagesPerRound: number;
  subject: Rate;
  reference: Rate;
  /** Median of the rounds' ratios of messages/s. */
  ratio: number;
  /** The lowest and highest ratio of the rounds, which shows the machine's noise. */
  ratioRange: [number, number];
}

export interface ThroughputMeasurement extends Omit<Comparison, "subject" | "reference"> {
  batchSize: number;
  parallelInvocations: number;
  /** Maximum number of parallel POSTs: always reached by the bare loop, and by the handler except while it reads sessions. */
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
  /** CPU time of the sending process, without table and gateway. */
  cpuMsPerMessage: number;
}

const BATCH_SIZE = 10;

/**
 * The rate of the deployed deliver handler compared with a loop that sends the same POSTs with the SDK only, with the same
 * client options, in the same process, to the same gateway, at the same concurrency; both in turn, medians. Not included: the
 * queue, network latency, TLS. Logs are formatted by Node's console and discarded.
 *
 * A Lambda environment runs one invocation at a time, so parallel invocations represent several environments.
 */
export async function measureThroughput(
  delivery: Delivery,
  users: number,
  parallelInvocations: number,
  rounds: number,
  messagesPerRound: number,
): Promise<ThroughputMeasurement> {
  const concurrency = parallelInvocations * BATCH_SIZE;
  const common = { messages: messagesPerRound, users, batchSize: BATCH_SIZE };
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
 * The cost of storing each message before it is sent: the deliver handler of replay mode compared with that of retry mode, each
 * with its own table and gateway. With dynalite most of it is the table's work: about a thousand writes per second.
 */
export async function measureReplayThroughput(
  deliveries: Record<"replay" | "retry", Delivery>,
  users: number,
  parallelInvocations: number,
  rounds: number,
  messagesPerRound: number,
): Promise<ReplayThroughputMeasurement> {
  const request: WorkerRequest = {
    run: "deliver",
    messages: messagesPerRound,
    users,
    batchSize: BATCH_SIZE,
    parallel: parallelInvocations,
  };
  const { subject, reference, ...compared } = await compare(
    () => deliveries.replay.run(request),
    () => deliveries.retry.run(request),
    rounds,
    messagesPerRound,
  );
  console.error(`bench: sent ${rounds} rounds of ${messagesPerRound} messages in replay mode and in retry mode`);
  return { batchSize: BATCH_SIZE, parallelInvocations, ...compared, replay: subject, retry: reference };
}

export async function compare(
  subject: () => Promise<WorkerAnswer>,
  reference: () => Promise<WorkerAnswer>,
  rounds: number,
  messagesPerRound: number,
): Promise<Comparison> {
  const measured: [WorkerAnswer, WorkerAnswer][] = [];
  // The first round opens sockets and warms the code: it is not counted.
  for (let round = 0; round <= rounds; round++) {
    const taken: Partial<[WorkerAnswer, WorkerAnswer]> = [];
    // They take turns to go first: the second one collects the garbage of both.
    for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      taken[which] = await (which === 0 ? subject() : reference());
    }
    if (round > 0) measured.push(taken as [WorkerAnswer, WorkerAnswer]);
  }
  const rateOf = (taken: WorkerAnswer[]): Rate => ({
    messagesPerSecond: Math.round((messagesPerRound * 1000) / median(taken.map(({ ms }) => ms))),
    cpuMsPerMessage: rounded(median(taken.map(({ cpuMs }) => cpuMs)) / messagesPerRound),
  });
  // A ratio per round, because the machine's other load changes between rounds.
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
