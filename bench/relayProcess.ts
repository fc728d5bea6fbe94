import type { LocalCloud } from "../local/cloud";
import type { Addresses } from "../local/run/addresses";
import type { FunctionConfiguration } from "../local/lambda/localFunction";
import { LocalRun } from "../local/run/localRun";
import { answer } from "./childProcess";
import { FunctionLogs } from "./functionLogs";
import { functionIn, Recorder, type Recording } from "./recorder";
import { type Swept, Sweeps } from "./sweeps";

/**
 * A local run in its own process.
 * - `start`: returns its addresses; with `recorded`, the others may follow
 * - `record`: starts recording the functions' requests, and delays each response by `answerDelayMs`
 * - `handled`: returns once this number of clients' frames has been handled, and no function runs
 * - `recorded`: ends and returns the recording
 * - `poll`: the pollers of the queue stop, or go on
 * - `sweep`: runs the history sweeper until it finds nothing more to do, with its clock ahead by each of `aheadMs` in turn
 * - `forget`: ends the environments of a function, whose next invocation is a cold start
 * - `stop`: ends the run and the processes of its functions
 */
export type RelayRequest =
  | { start: { config: Record<string, string>; recorded: boolean; timeScale?: number; maxEnvironments?: number } }
  | { record: { answerDelayMs: number } }
  | { handled: { frames: number } }
  | { recorded: true }
  | { poll: boolean }
  | { sweep: { aheadMs: readonly number[] } }
  | { forget: string }
  | { stop: true };
export type RelayAnswer = Addresses | Recording | Swept | Record<string, never>;

let run: LocalRun | undefined;
let recorder: Recorder | undefined;
let sweeps: Sweeps | undefined;
const logs = new FunctionLogs();

answer<RelayRequest, RelayAnswer>(async (request) => {
  if ("start" in request) {
    const { config, recorded, timeScale, maxEnvironments } = request.start;
    run = await LocalRun.start({
      stack: "dev",
      config,
      timeScale,
      log: (line) => logs.logged(line),
      onLateError: (error) => {
        throw error;
      },
    });
    if (maxEnvironments !== undefined) allowEnvironments(run.cloud, maxEnvironments);
    if (recorded) {
      logs.watch(run.cloud.metrics);
      recorder = await Recorder.attach(run.cloud, logs);
      sweeps = new Sweeps(run.cloud, recorder);
    }
    return run.addresses;
  }
  if ("stop" in request) {
    await run?.close();
    return {};
  }
  if (!run || !recorder || !sweeps) throw new Error("this run was started without `recorded`");
  if ("recorded" in request) return recorder.stop();
  if ("sweep" in request) return sweeps.run(request.sweep.aheadMs);
  if ("forget" in request) await forget(run.cloud, request.forget);
  else if ("poll" in request) await setPolling(run.cloud, request.poll);
  else if ("handled" in request) await recorder.untilHandled(request.handled.frames);
  else await recorder.start(request.record.answerDelayMs);
  return {};
});

/** Replaces the limit of a local run, which suits a developer's machine, for all functions. */
function allowEnvironments({ lambda }: LocalCloud, maxEnvironments: number): void {
  const { functions } = lambda as unknown as { functions: Map<string, { limits: { maxEnvironments: number } }> };
  for (const each of functions.values()) each.limits.maxEnvironments = maxEnvironments;
}

async function forget({ lambda }: LocalCloud, name: string): Promise<void> {
  const { functions } = lambda as unknown as { functions: Map<string, { configuration: FunctionConfiguration }> };
  for (const { configuration } of functions.values()) {
    if (functionIn(configuration.name) === name) await lambda.putFunction(configuration);
  }
}

/** While the pollers stop, messages gather in the queue: the next batch has as many of them as it may. */
async function setPolling({ eventSourceMappings }: LocalCloud, polling: boolean): Promise<void> {
  const { mappings } = eventSourceMappings as unknown as {
    mappings: Map<string, { pause(): Promise<void>; resume(): void }>;
  };
  for (const mapping of mappings.values()) {
    if (polling) mapping.resume();
    else await mapping.pause();
  }
}
