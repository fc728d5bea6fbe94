import { type Delivery, withDelivery } from "./delivery";
import type { Mode } from "./deployed";
import { rounded } from "./median";
import { compare, type Comparison } from "./throughput";

/** What several connections of a session cost, compared with one. */
export type FanOutMeasurement = Record<Mode, { calls: FanOutCalls; throughput: FanOutThroughput }>;

export interface FanOutCalls {
  messages: number;
  /** Requests to tables, gateway and SQS, by operation. */
  one: Record<string, number>;
  two: Record<string, number>;
  /** Per message. */
  morePosts: number;
  moreOthers: number;
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

/** Messages that arrive one at a time. */
const BATCH_SIZE = 1;

/** @param answerMs After which the stubs of table and gateway answer. */
export async function measureFanOut(answerMs: number, times: FanOutTimes): Promise<FanOutMeasurement> {
  const measured = async (mode: Mode) => ({
    calls: await measureCalls(mode, times.batches),
    throughput: await measureThroughput(mode, answerMs, times),
  });
  return { retry: await measured("retry"), replay: await measured("replay") };
}

async function measureCalls(mode: Mode, messages: number): Promise<FanOutCalls> {
  const counted = (connectionsPerUser: number) =>
    withDelivery(
      mode,
      "dynalite",
      1,
      async (delivery) => {
        // The first message of a session also asks whether its log was always empty.
        await send(delivery, 1);
        await delivery.counts();
        await send(delivery, messages);
        return await delivery.counts();
      },
      { connectionsPerUser },
    );
  const [one, two] = [await counted(1), await counted(2)];
  const posts = (counts: Record<string, number>) => counts[POST] ?? 0;
  const all = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);
  const morePosts = posts(two) - posts(one);
  // Otherwise the second connection got nothing.
  if (morePosts < messages) throw new Error(`${messages} messages made ${posts(one)} and ${posts(two)} POSTs`);
  console.error(`bench: counted the calls for two connections, ${mode}`);
  return {
    messages,
    one,
    two,
    morePosts: rounded(morePosts / messages),
    moreOthers: rounded((all(two) - all(one) - morePosts) / messages),
  };
}

async function measureThroughput(
  mode: Mode,
  answerMs: number,
  { rounds, messagesPerRound }: FanOutTimes,
): Promise<FanOutThroughput> {
  const withConnections = <T>(connectionsPerUser: number, measure: (delivery: Delivery) => Promise<T>) =>
    withDelivery(mode, { stubAnswerMs: answerMs }, 1, measure, { connectionsPerUser, gatewayAnswerMs: answerMs });
  const compared = await withConnections(1, (one) =>
    withConnections(10, (ten) =>
      compare(
        () => send(ten, messagesPerRound),
        () => send(one, messagesPerRound),
        rounds,
        messagesPerRound,
      ),
    ),
  );
  console.error(`bench: sent ${rounds} rounds of ${messagesPerRound} messages to one and to ten connections, ${mode}`);
  return { batchSize: BATCH_SIZE, answerMs, ...compared };
}

function send(delivery: Delivery, messages: number) {
  return delivery.run({ run: "deliver", messages, users: 1, batchSize: BATCH_SIZE, parallel: 1 });
}
