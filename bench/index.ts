import { cpus } from "node:os";
import { measureBundles, measuredBundles } from "./bundles";
import { measureCalls, measureReplayCalls } from "./calls";
import { withDelivery } from "./delivery";
import { deployedFunctions } from "./deployed";
import { measurePropertyTest, playApart } from "./propertyTest";
import { measureRecovery } from "./recovery";
import { measureRelays } from "./relays";
import { targetsOf } from "./targets";
import { measureReplayThroughput, measureThroughput } from "./throughput";

const FULL = {
  processes: 21,
  batches: 20,
  rounds: 10,
  messagesPerRound: 2_000,
  replayRounds: 6,
  replayMessagesPerRound: 500,
  recovery: {
    many: { missed: 1_000, bodyBytes: 200, users: 3, reconnectsPerUser: 35 },
    few: { missed: 10, bodyBytes: 200, users: 3, reconnectsPerUser: 35 },
  },
  countedReconnects: 5,
  countedMessages: 10,
  propertyMessages: 100_000,
};

/** The same in less than a minute, with too few repetitions for meaningful times. */
const QUICK: typeof FULL = {
  processes: 1,
  batches: 2,
  rounds: 1,
  messagesPerRound: 500,
  replayRounds: 1,
  replayMessagesPerRound: 50,
  recovery: {
    many: { missed: 100, bodyBytes: 200, users: 1, reconnectsPerUser: 2 },
    few: { missed: 10, bodyBytes: 200, users: 1, reconnectsPerUser: 1 },
  },
  countedReconnects: 1,
  countedMessages: 2,
  propertyMessages: 5_000,
};

/**
 * `npm run bench`: one JSON document on stdout, progress on stderr. The exit code is 0 whether the targets are met or not, and
 * 1 if a measurement failed.
 */
async function bench(quick: boolean): Promise<object> {
  const times = quick ? QUICK : FULL;
  const { processes, batches, rounds, messagesPerRound } = times;

  // One after the other, so that no two measurements share the machine.
  const functions = {
    retry: await deployedFunctions("retry"),
    replay: await deployedFunctions("replay"),
    replayWithReceipts: await deployedFunctions("replay", { receipts: true }),
  };
  const bundles = await measureBundles(measuredBundles(functions), processes);
  const delivered = await withDelivery(functions.retry.deliver, async (retry) => ({
    calls: await measureCalls(retry, batches),
    throughput: await measureThroughput(retry, 5, rounds, messagesPerRound),
    throughputOfOneInvocation: await measureThroughput(retry, 1, rounds, messagesPerRound),
    ...(await withDelivery(functions.replay.deliver, async (replay) => ({
      replayCalls: await measureReplayCalls(replay, batches),
      replayThroughput: await measureReplayThroughput(
        { replay, retry },
        5,
        times.replayRounds,
        times.replayMessagesPerRound,
      ),
    }))),
  }));
  const recovery = await measureRecovery(times.recovery);
  const counted = await measureRelays(times.countedReconnects, times.countedMessages);
  const propertyTest = await measurePropertyTest(playApart, times.propertyMessages);
  const measured = { bundles, ...delivered, recovery, ...counted, propertyTest };
  return {
    machine: { node: process.version, arch: process.arch, cpus: cpus().length, cpu: cpus()[0]?.model },
    quick,
    processesPerLoadTime: processes,
    targets: targetsOf(measured),
    ...measured,
  };
}

// The SDK drops Node 20 in 2027; Lambda runs Node 24.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

bench(process.argv.includes("--quick")).then(
  // Exit explicitly: Pulumi's mocks may leave open handles.
  (measurements) => process.stdout.write(`${JSON.stringify(measurements, undefined, 2)}\n`, () => process.exit(0)),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
