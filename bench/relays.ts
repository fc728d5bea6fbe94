import { type CostMeasurement, measureCost } from "./cost";
import { BenchRelay } from "./relay";
import { measureSequentialCalls, type SequentialCallsMeasurement } from "./sequentialCalls";

/** The clocks run this much faster: a rule and a back-off of a minute take two seconds. */
const TIME_SCALE = 30;

/** The measurements with a whole relay in each mode, each a local run in its own process. */
export async function measureRelays(
  reconnects: number,
  repetitions: number,
): Promise<{ sequentialCalls: SequentialCallsMeasurement; cost: CostMeasurement }> {
  const options = { recorded: true, timeScale: TIME_SCALE };
  // The defaults, which the stack `dev` shortens.
  const backoff = { maxAttempts: "66", backoffMinSeconds: "2", backoffMaxSeconds: "120" };
  const started = [
    BenchRelay.start({ ...options, config: { delivery: "replay" } }),
    BenchRelay.start({ ...options, config: backoff }),
  ] as const;
  try {
    const [replay, retry] = await Promise.all(started);
    const sequentialCalls = await measureSequentialCalls(replay, reconnects, 10);
    return { sequentialCalls, cost: await measureCost({ retry, replay }, repetitions) };
  } finally {
    await Promise.all(started.map((start) => start.then((relay) => relay.stop())));
  }
}
