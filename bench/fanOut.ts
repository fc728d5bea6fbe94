import { type Delivery, type DeliveryOptions, withDelivery } from "./delivery";
import type { Mode } from "./deployed";
import { rounded } from "./median";
import { compare, type Comparison } from "./throughput";

/** What several connections of a session cost, compared with one. */
export interface FanOutMeasurement extends Record<Mode, { calls: FanOutCalls; throughput: FanOutThroughput[] }> {
  raw: RawCalls;
}

/** Requests to tables, gateway and SQS, by operation. */
type Counts = Record<string, number>;

export interface FanOutCalls {
  messages: number;
  one: Counts;
  two: Counts;
  /** Per message. */
  morePosts: number;
  moreOthers: number;
}

/** What connections of raw clients cost in replay mode. The connections that speak the protocol are in `protocol` and `mixed`. */
export interface RawCalls {
  messages: number;
  protocol: Counts;
  raw: Counts;
  twoRaw: Counts;
  /** One of each kind. */
  mixed: Counts;
  /** Per message: of one raw connection, compared with one that speaks the protocol. */
  moreThanProtocol: number;
  /** Per message: of a second raw connection. */
  morePostsOfSecond: number;
  moreOthersOfSecond: number;
  /** Per message, besides its POST: of a raw connection next to one that speaks the protocol. */
  moreNextToProtocol: number;
}

/**
 * A session's messages, one batch after the other. `ratio` is of messages a second, and so of the POSTs a second to ten
 * connections to ten times those to one.
 */
export interface FanOutThroughput extends Comparison {
  batchSize: number;
  answerMs: number;
}

export interface FanOutTimes {
  batches: number;
  rounds: number;
  messagesPerRound: number;
}

const POST = "POST /live/@connections";

/** Messages that arrive one at a time, and whole batches of one session. */
export const FAN_OUT_BATCH_SIZES = [1, 10] as const;

/** @param answerMs After which the stubs of table and gateway answer. */
export async function measureFanOut(answerMs: number, times: FanOutTimes): Promise<FanOutMeasurement> {
  const measured = async (mode: Mode) => {
    const calls = await measureCalls(mode, times.batches);
    const throughput: FanOutThroughput[] = [];
    for (const batchSize of FAN_OUT_BATCH_SIZES) {
      throughput.push(await measureThroughput(mode, batchSize, answerMs, times));
    }
    return { calls, throughput };
  };
  return {
    retry: await measured("retry"),
    replay: await measured("replay"),
    raw: await measureRawCalls(times.batches),
  };
}

async function measureCalls(mode: Mode, messages: number): Promise<FanOutCalls> {
  const one = await countsOf(mode, messages, { connectionsPerUser: 1 });
  const two = await countsOf(mode, messages, { connectionsPerUser: 2 });
  console.error(`bench: counted the calls for two connections, ${mode}`);
  return { messages, one, two, morePosts: morePosts(two, one, messages), moreOthers: moreOthers(two, one, messages) };
}

async function measureRawCalls(messages: number): Promise<RawCalls> {
  const counted = (connectionsPerUser: number, rawPerUser: number) =>
    countsOf("replay", messages, { connectionsPerUser, rawPerUser });
  const [protocol, raw, twoRaw, mixed] = [
    await counted(1, 0),
    await counted(1, 1),
    await counted(2, 2),
    await counted(2, 1),
  ];
  console.error("bench: counted the calls for raw clients in replay mode");
  return {
    messages,
    protocol,
    raw,
    twoRaw,
    mixed,
    moreThanProtocol: moreOthers(raw, protocol, messages),
    morePostsOfSecond: morePosts(twoRaw, raw, messages),
    moreOthersOfSecond: moreOthers(twoRaw, raw, messages),
    moreNextToProtocol: moreOthers(mixed, protocol, messages),
  };
}

/** The requests for a session's messages, which come one at a time. */
async function countsOf(mode: Mode, messages: number, options: DeliveryOptions): Promise<Counts> {
  const { connectionsPerUser = 1 } = options;
  const counts = await withDelivery(
    mode,
    "dynalite",
    1,
    async (delivery) => {
      // The first message of a session also asks whether its log was always empty.
      await send(delivery, 1, 1);
      await delivery.counts();
      await send(delivery, messages, 1);
      return await delivery.counts();
    },
    options,
  );
  const posts = postsIn(counts);
  // Otherwise a connection got nothing.
  if (posts < messages * connectionsPerUser) {
    throw new Error(`${messages} messages to ${connectionsPerUser} connections made ${posts} POSTs`);
  }
  return counts;
}

function postsIn(counts: Counts): number {
  return counts[POST] ?? 0;
}

function morePosts(more: Counts, fewer: Counts, messages: number): number {
  return rounded((postsIn(more) - postsIn(fewer)) / messages);
}

function moreOthers(more: Counts, fewer: Counts, messages: number): number {
  const others = (counts: Counts) => Object.values(counts).reduce((sum, count) => sum + count, 0) - postsIn(counts);
  return rounded((others(more) - others(fewer)) / messages);
}

async function measureThroughput(
  mode: Mode,
  batchSize: number,
  answerMs: number,
  { rounds, messagesPerRound }: FanOutTimes,
): Promise<FanOutThroughput> {
  const withConnections = <T>(connectionsPerUser: number, measure: (delivery: Delivery) => Promise<T>) =>
    withDelivery(mode, { stubAnswerMs: answerMs }, 1, measure, { connectionsPerUser, gatewayAnswerMs: answerMs });
  const compared = await withConnections(1, (one) =>
    withConnections(10, (ten) =>
      compare(
        () => send(ten, messagesPerRound, batchSize),
        () => send(one, messagesPerRound, batchSize),
        rounds,
        messagesPerRound,
      ),
    ),
  );
  console.error(
    `bench: sent ${rounds} rounds of ${messagesPerRound} messages to one and to ten connections, ${mode}, batches of ${batchSize}`,
  );
  return { batchSize, answerMs, ...compared };
}

function send(delivery: Delivery, messages: number, batchSize: number) {
  return delivery.run({ run: "deliver", messages, users: 1, batchSize, parallel: 1 });
}
