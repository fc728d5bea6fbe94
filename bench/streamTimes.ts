import { bodyOf, TOKENS } from "./bodies";
import { median, rounded } from "./median";
import { Reception } from "./reception";
import type { BenchRelay } from "./relay";
import { PlayedClient } from "./relayPlayer";
import { whole } from "./scenarios";

export interface StreamTimes {
  /** How often each of the two first-text latencies is measured, in turn. */
  firstTexts: number;
  /** How often each of the two reconnects is measured, in turn. */
  reconnects: number;
}

export interface StreamTimesMeasurement {
  firstText: {
    rounds: number;
    /** From `append` to `onStream`, and from `publish` to `onMessage`. */
    streamMs: number;
    messageMs: number;
    /** The difference of these medians. */
    addedMs: number;
  };
  reconnect: {
    rounds: number;
    tokens: number;
    /** From the WebSocket's `open` to the complete text, and to the only message that was missed. */
    textMs: number;
    messageMs: number;
    /** The ratio of these medians. */
    ratio: number;
  };
}

/** Messages of an answer of ten seconds with windows of up to 250 ms. */
const ANSWER = { tokens: 500, messages: 45 } as const;

/** The times of streams, next to those of single messages of the same relay. */
export async function measureStreamTimes(
  relay: BenchRelay,
  { firstTexts, reconnects }: StreamTimes,
): Promise<StreamTimesMeasurement> {
  const firstText = await measureFirstTexts(relay, firstTexts);
  const reconnect = await measureReconnects(relay, reconnects);
  console.error(`bench: timed ${firstTexts} first texts and ${reconnects} reconnects, each way`);
  return { firstText, reconnect };
}

async function measureFirstTexts(relay: BenchRelay, rounds: number): Promise<StreamTimesMeasurement["firstText"]> {
  const reception = new Reception();
  const client = await PlayedClient.connect(relay, "first-text", reception, undefined, {
    onStream: ({ offset, text }) => void (offset === 0 && text !== "" && reception.message(text)),
  });
  const timed = async (publish: () => Promise<void>): Promise<number> => {
    const arrived = reception.received(1);
    const startMs = performance.now();
    await publish();
    await arrived;
    return performance.now() - startMs;
  };
  const [stream, message]: [number[], number[]] = [[], []];
  // The first round starts the functions, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const opened = relay.stream("first-text");
    const streamMs = await timed(() => opened.append(bodyOf(round, TOKENS)));
    await opened.close();
    await relay.untilQueueIsEmpty();
    const messageMs = await timed(() => relay.publishOne({ user: "first-text", message: bodyOf(round, TOKENS) }));
    await relay.untilQueueIsEmpty();
    if (round === 0) continue;
    stream.push(streamMs);
    message.push(messageMs);
  }
  client.close();
  const [streamMs, messageMs] = [median(stream), median(message)];
  return {
    rounds,
    streamMs: rounded(streamMs, 1),
    messageMs: rounded(messageMs, 1),
    addedMs: rounded(streamMs - messageMs, 1),
  };
}

/** A client that loses its connection in the middle of an answer, which is complete when it returns. */
async function measureReconnects(relay: BenchRelay, rounds: number): Promise<StreamTimesMeasurement["reconnect"]> {
  const [text, message]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const textMs = await missed(relay, `text-${round}`, "stream");
    const messageMs = await missed(relay, `message-${round}`, "message");
    if (round === 0) continue;
    text.push(textMs);
    message.push(messageMs);
  }
  const [textMs, messageMs] = [median(text), median(message)];
  return {
    rounds,
    tokens: ANSWER.tokens,
    textMs: rounded(textMs, 1),
    messageMs: rounded(messageMs, 1),
    ratio: rounded(textMs / messageMs, 2),
  };
}

/** @returns milliseconds from the `open` of the second connection until what was missed has arrived. */
async function missed(relay: BenchRelay, user: string, what: "stream" | "message"): Promise<number> {
  const texts = Array.from({ length: ANSWER.messages }, (_, index) => {
    const [first, end] = [index, index + 1].map((each) => Math.round((each * ANSWER.tokens) / ANSWER.messages));
    return TOKENS.slice(first, end).join("");
  });
  const reception = new Reception();
  const first = reception.received(1);
  const before = await PlayedClient.connect(relay, user, reception, undefined, {
    onStream: ({ text }) => reception.message(text),
  });
  // Each `append` is one message, which is published before the next one.
  const stream = relay.stream(user, { rollupMs: 0, maxBufferedBytes: 1 });
  if (what === "stream") {
    const half = texts.splice(0, texts.length / 2);
    for (const text of half) await stream.append(text);
  } else {
    await relay.publishOne({ user, message: "first" });
  }
  await first;
  await relay.untilQueueIsEmpty();
  const { cursor } = before;
  before.breakOff();
  before.close();
  await relay.untilGone(user);
  if (what === "stream") {
    for (const text of texts) await stream.append(text);
    await stream.close();
  } else {
    await relay.publishOne({ user, message: bodyOf(0, TOKENS) });
  }
  await relay.untilQueueIsEmpty();

  const again = new Reception();
  const times = again.measure(1);
  const client = await PlayedClient.connect(relay, user, again, cursor, whole(again));
  const { allMs } = await times;
  client.close();
  return allMs;
}
