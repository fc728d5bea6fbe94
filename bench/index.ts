import { cpus } from "node:os";
import { resolve } from "node:path";
import { PRICES } from "../cli/cost/prices";
import { estimatesOf } from "./estimates";
import { measureBundles, measuredBundles } from "./bundles";
import { measureCalls, measureReplayCalls } from "./calls";
import { withCheckout } from "./checkout";
import { withDelivery } from "./delivery";
import { deployedFunctions } from "./deployed";
import { type Measured, ROWS } from "./measure";
import { measureIn } from "./measureIn";
import { type BenchOptions, readOptions } from "./options";
import { measurePropertyTest, playApart } from "./propertyTest";
import { measureSweeper } from "./sweeper";
import { ATTEMPTS_IN_AN_HOUR, tableOf } from "./table";
import { targetsOf } from "./targets";
import { measureThroughput } from "./throughput";
import { FULL, QUICK, type Times } from "./times";

const repository = resolve(__dirname, "..");

const NOTES = [
  "table: each figure is measured by this checkout's bench, in this checkout (now) and in a checkout of the base commit (today), in turn on this machine. Where a commit lacks what a measurement needs, adapters says how it was measured.",
  "USD: the requests of the functions are counted in the local run, with DynamoDB's units of tables and indexes, and multiplied by one price table. Messages are a fixed fixture of 1 KB of JSON.",
  "Delivered: each day, ten messages of a user, three minutes apart, over one connection of 30 minutes. The second of three days is counted, with the history sweeper's work on that day; a row of its own has the last day, after which the sweeper runs until nothing is due. Time passes by the client's own clock; what is stored is made older. connectionUsd is the share of the connection, which has rows of its own.",
  "Held: each day, no client is connected for an hour, then a client returns to ten messages. In retry mode a message is retried as often as the default back-off allows in an hour: failed attempts are counted and multiplied.",
  "Streams: an answer of 500 tokens of 5 bytes, 50 a second by the machine's clock, appended to a stream of the backend library, and the same tokens as single messages. Each message comes to deliver in a batch of its own, as on AWS, where deliver takes less time than passes between two tokens. Calls are the requests to SNS, its messages to the queue, and the functions' requests.",
  "Logs are the bytes of the lines that the functions wrote, with the 26 bytes that CloudWatch adds to each, and Lambda's own lines if the functions' settings let them through.",
  "The duration of functions is the estimate's assumption, the same for both commits. Connection minutes, heartbeats, empty polls, empty runs of the sweeper, alarms and data transfer are not included in USD per million.",
] as const;

/**
 * `npm run bench`: one JSON document on stdout, progress on stderr. The exit code is 0 whether the targets are met or not, and
 * 1 if a measurement failed.
 */
async function bench({ quick, only, base }: BenchOptions): Promise<object> {
  const times = quick ? QUICK : FULL;
  const rows = only ?? ROWS;
  const measured = await measureIn(repository, only ? rows : [...rows, "sequential"], quick);
  const ofBase = base === undefined ? undefined : await measuredBase(base, rows, quick);
  const { region, asOf } = PRICES;
  const table = {
    machine: { node: process.version, arch: process.arch, cpus: cpus().length, cpu: cpus()[0]?.model },
    quick,
    prices: { region, asOf, currency: "USD" },
    attemptsInAnHour: ATTEMPTS_IN_AN_HOUR,
    ...(ofBase && {
      base: { commit: ofBase.commit, adapters: ofBase.measured.adapters, seconds: ofBase.measured.seconds },
    }),
    now: { adapters: measured.adapters, seconds: measured.seconds },
    table: tableOf(measured, ofBase?.measured),
    estimates: estimatesOf(measured),
    notes: NOTES,
  };
  return only ? table : { ...table, ...(await measureThisCheckout(measured, times)) };
}

async function measuredBase(commit: string, rows: BenchOptions["only"] | typeof ROWS, quick: boolean) {
  return withCheckout(commit, async (checkout) => {
    console.error(`bench: measuring ${checkout.commit}`);
    return { commit: checkout.commit, measured: await measureIn(checkout.folder, rows ?? ROWS, quick) };
  });
}

/** The measurements with fixed targets, of this checkout only. One after the other, so that no two share the machine. */
async function measureThisCheckout(measured: Measured, times: Times): Promise<object> {
  const { processes, batches, users, rounds, messagesPerRound } = times;
  const functions = {
    retry: await deployedFunctions("retry"),
    replay: await deployedFunctions("replay"),
    replayWithReceipts: await deployedFunctions("replay", { receipts: true }),
  };
  const bundles = await measureBundles(measuredBundles(functions), processes);
  const delivered = await withDelivery("retry", "dynalite", users, async (retry) => ({
    calls: await measureCalls(retry, batches),
    throughput: await measureThroughput(retry, users, 5, rounds, messagesPerRound),
    throughputOfOneInvocation: await measureThroughput(retry, users, 1, rounds, messagesPerRound),
  }));
  const replayCalls = await withDelivery("replay", "dynalite", users, (replay) => measureReplayCalls(replay, batches));
  const { recovery, counted } = measured;
  const { sequentialCalls } = counted;
  if (!recovery || !sequentialCalls) throw new Error("recovery and sequential calls were not measured");
  const own = { bundles, ...delivered, replayCalls, recovery, sequentialCalls };
  const sweeper = await measureSweeper(times.sweptSessions, 5);
  const propertyTest = await measurePropertyTest(playApart, times.propertyMessages);
  return { processesPerLoadTime: processes, targets: targetsOf(own), ...own, sweeper, propertyTest };
}

// The SDK drops Node 20 in 2027; Lambda runs Node 24.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

Promise.resolve(process.argv.slice(2))
  .then((args) => bench(readOptions(args)))
  .then(
    // Exit explicitly: Pulumi's mocks may leave open handles.
    (measurements) => process.stdout.write(`${JSON.stringify(measurements, undefined, 2)}\n`, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
