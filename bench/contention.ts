import { setTimeout as delay } from "node:timers/promises";
import { bodyOf } from "./bodies";
import { percentile, rounded } from "./median";
import { BenchRelay, until } from "./relay";
import { relayConfig } from "./relayConfig";
import { PlayedClient } from "./relayPlayer";
import { Reception } from "./reception";

export interface ContentionMeasurement {
  messages: number;
  publishedInSeconds: number;
  /** Attempts that were retried because another invocation wrote to the same session. */
  historyContended: number;
  /** From the start of the publish to the client's callback. */
  publishToClientMs: { p50: number; p99: number; max: number };
  maxEnvironments: number;
}

const MAX_ENVIRONMENTS = 10;
const USER = "busy";

/** Messages to one session at a steady rate, each published by itself, in standard order and with the default back-off. */
export async function measureContention(messages: number, seconds: number): Promise<ContentionMeasurement> {
  const config = relayConfig("replay");
  const relay = await BenchRelay.start({ config, maxEnvironments: MAX_ENVIRONMENTS });
  try {
    const [published, took] = [new Map<string, number>(), new Map<string, number>()];
    const reception = new Reception((body) => {
      const { number } = JSON.parse(body) as { number: string };
      took.set(number, performance.now() - (published.get(number) ?? 0));
    });
    const client = await PlayedClient.connect(relay, USER, reception);
    // Opens the sockets of publisher and functions.
    published.set("first", performance.now());
    await relay.publishOne({ user: USER, message: JSON.stringify({ number: "first" }) });
    await until(() => Promise.resolve(took.has("first")));
    took.delete("first");

    const startMs = performance.now();
    const publishes: Promise<void>[] = [];
    for (let number = 0; number < messages; number++) {
      await delay(Math.max(0, startMs + (number * seconds * 1000) / messages - performance.now()));
      published.set(String(number), performance.now());
      const { text } = JSON.parse(bodyOf(number)) as { text: string };
      const message = JSON.stringify({ number: String(number), text });
      publishes.push(relay.publishOne({ user: USER, message }));
    }
    await Promise.all(publishes);
    await until(() => Promise.resolve(took.size === messages), 600);
    const historyContended = await relay.metric("Retried", "history-contended");
    client.close();
    const times = [...took.values()];
    console.error(`bench: ${messages} messages to one session`);
    return {
      messages,
      publishedInSeconds: seconds,
      historyContended,
      publishToClientMs: {
        p50: rounded(percentile(times, 0.5), 0),
        p99: rounded(percentile(times, 0.99), 0),
        max: rounded(Math.max(...times), 0),
      },
      maxEnvironments: MAX_ENVIRONMENTS,
    };
  } finally {
    await relay.stop();
  }
}
