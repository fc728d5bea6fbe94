import { type CostMeasurement, measureCost } from "./cost";
import { BenchRelay } from "./relay";
import { measureSequentialCalls, type SequentialCallsMeasurement } from "./sequentialCalls";

/** Clocks that run so much faster that a minute's rule and a minute's back-off take two seconds. */
const TIME_SCALE = 30;

/** What is counted on a whole relay of each mode, each a local run in a process of its own. */
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
