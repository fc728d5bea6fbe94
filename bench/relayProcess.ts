import type { Addresses } from "../local/run/addresses";
import { LocalRun } from "../local/run/localRun";
import { answer } from "./childProcess";
import { Recorder, type Recording } from "./recorder";

/**
 * A local run in its own process.
 * - `start`: returns its addresses; with `recorded`, `record` and `recorded` may follow
 * - `record`: starts recording the functions' requests, and delays each response by `answerDelayMs`
 * - `recorded`: ends and returns the recording
 * - `stop`: ends the run and the processes of its functions
 */
export type RelayRequest =
  | { start: { config: Record<string, string>; recorded: boolean; timeScale?: number } }
  | { record: { answerDelayMs: number } }
  | { recorded: true }
  | { stop: true };
export type RelayAnswer = Addresses | Recording | Record<string, never>;

let run: LocalRun | undefined;
let recorder: Recorder | undefined;

answer<RelayRequest, RelayAnswer>(async (request) => {
  if ("start" in request) {
    const { config, recorded, timeScale } = request.start;
    run = await LocalRun.start({
      stack: "dev",
      config,
      timeScale,
      log: () => undefined,
      onLateError: (error) => {
        throw error;
      },
    });
    if (recorded) recorder = await Recorder.attach(run.cloud);
    return run.addresses;
  }
  if ("stop" in request) {
    await run?.close();
    return {};
  }
  if (!recorder) throw new Error("this run was started without `recorded`");
  if ("recorded" in request) return recorder.stop();
  await recorder.start(request.record.answerDelayMs);
  return {};
});
