import type { BundleMeasurement } from "./bundles";
import type { CallsMeasurement, ReplayCallsMeasurement } from "./calls";
import type { RecoveryMeasurement } from "./recovery";
import type { SequentialCallsMeasurement } from "./sequentialCalls";
import type { ThroughputMeasurement } from "./throughput";

/** A target, and whether it is met. Bytes and calls are exact; ratios and times are as noisy as the machine. */
export interface Target {
  what: string;
  atMost?: number;
  atLeast?: number;
  measured: number;
  met: boolean;
}

export interface Measurements {
  bundles: Record<string, BundleMeasurement>;
  calls: CallsMeasurement[];
  replayCalls: ReplayCallsMeasurement[];
  throughput: ThroughputMeasurement;
  recovery: { many: RecoveryMeasurement };
  sequentialCalls: SequentialCallsMeasurement;
}

export function targetsOf(measured: Measurements): Target[] {
  const { bundles, calls, replayCalls, throughput, recovery, sequentialCalls } = measured;
  const most = (of: keyof ReplayCallsMeasurement) => Math.max(...replayCalls.map((each) => Number(each[of])));
  return [
    ...Object.entries(bundles).map(([name, { zippedBytes }]) => atMost(`${name}: zipped bytes`, 90_000, zippedBytes)),
    ...Object.entries(bundles).map(([name, { loadRatio }]) =>
      atMost(`${name}: load time / unbundled`, 0.45, loadRatio),
    ),
    ...calls
      .filter(({ batchSize }) => batchSize === 10)
      .map(({ usersPerBatch, callsBesidePostPerMessage }) =>
        atMost(`deliver: calls besides the POST, batch of 10 to ${usersPerBatch}`, 0.2, callsBesidePostPerMessage),
      ),
    atMost("replay/deliver: history writes per message", 1, most("historyWritesPerMessage")),
    atMost("replay/deliver: history reads per message", 1, most("historyReadsPerMessage")),
    {
      what: "deliver: messages/s / bare SDK loop",
      atLeast: 0.8,
      measured: throughput.ratio,
      met: throughput.ratio >= 0.8,
    },
    atMost("open to the first of 1,000 missed messages, p50 in ms", 40, recovery.many.relay.firstMissedMs.p50),
    atMost("sequential calls from open to the first missed message", 4, sequentialCalls.calls),
  ];
}

function atMost(what: string, limit: number, measured: number): Target {
  return { what, atMost: limit, measured, met: measured <= limit };
}
