import { cpus } from "node:os";
import { type BundleMeasurement, measureBundles } from "./bundles";
import { type CallsMeasurement, measureCalls } from "./calls";
import { withDelivery } from "./delivery";
import { deployedFunctions, type Lambda, LAMBDAS } from "./deployed";
import { measureThroughput, type ThroughputMeasurement } from "./throughput";

/** What is to be reached, and whether it was. Bytes and calls are exact, ratios as noisy as the machine. */
interface Target {
  what: string;
  atMost?: number;
  atLeast?: number;
  measured: number;
  met: boolean;
}

/**
 * `npm run bench`: one JSON document on stdout, progress on stderr. Exit code 0 whether the targets are met or not, 1 where
 * something could not be measured. `--quick` measures the same in seconds, too few times for its times to mean anything.
 */
async function bench(quick: boolean): Promise<object> {
  const repetitions = quick
    ? { processes: 1, batches: 2, rounds: 1, messagesPerRound: 500 }
    : { processes: 31, batches: 20, rounds: 12, messagesPerRound: 2_000 };
  const { processes, batches, rounds, messagesPerRound } = repetitions;

  const functions = await deployedFunctions();
  const bundles = await measureBundles(functions, processes);
  const { calls, throughput, throughputOfOneInvocation } = await withDelivery(functions.deliver, async (delivery) => ({
    calls: await measureCalls(delivery, batches),
    throughput: await measureThroughput(delivery, 5, rounds, messagesPerRound),
    throughputOfOneInvocation: await measureThroughput(delivery, 1, rounds, messagesPerRound),
  }));
  return {
    machine: { node: process.version, arch: process.arch, cpus: cpus().length, cpu: cpus()[0]?.model },
    quick,
    processesPerLoadTime: processes,
    targets: targetsOf(bundles, calls, throughput),
    bundles,
    calls,
    throughput,
    throughputOfOneInvocation,
  };
}

function targetsOf(
  bundles: Record<Lambda, BundleMeasurement>,
  calls: CallsMeasurement[],
  throughput: ThroughputMeasurement,
): Target[] {
  const atMost = (what: string, limit: number, measured: number) => ({
    ...{ what, atMost: limit, measured, met: measured <= limit },
  });
  return [
    ...LAMBDAS.map((lambda) => atMost(`${lambda}: zipped bytes`, 90_000, bundles[lambda].zippedBytes)),
    ...LAMBDAS.map((lambda) => atMost(`${lambda}: load time / unbundled`, 0.45, bundles[lambda].loadRatio)),
    ...calls
      .filter(({ batchSize }) => batchSize === 10)
      .map(({ usersPerBatch, callsBesidePostPerMessage }) =>
        atMost(`deliver: calls beside the POST, batch of 10 to ${usersPerBatch}`, 0.2, callsBesidePostPerMessage),
      ),
    {
      what: "deliver: messages/s / bare SDK loop",
      atLeast: 0.8,
      measured: throughput.ratio,
      met: throughput.ratio >= 0.8,
    },
  ];
}

// The SDK will leave Node 20 in 2027, which Lambda's Node 24 is not concerned by.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

bench(process.argv.includes("--quick")).then(
  // Pulumi's mocks may leave handles behind: the measurements are the end of it.
  (measurements) => process.stdout.write(`${JSON.stringify(measurements, undefined, 2)}\n`, () => process.exit(0)),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
