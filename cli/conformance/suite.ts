import { setMaxListeners } from "node:events";
import pLimit from "p-limit";
import type { Requirement } from "./requirement";
import { Unmet } from "./unmet";
import { Stage, type Watch } from "./stage";

const TIME_LIMIT_SECONDS = 30;

export interface SuiteOptions extends Watch {
  /** The client under test, and its arguments. */
  command: readonly string[];
  /** Number of scenarios at the same time, each with a process of the client. */
  jobs: number;
  /** Of each scenario. @default the scenario's own, 30 to 60 */
  timeLimitSeconds?: number;
  signal: AbortSignal;
}

/** Whether the client meets a requirement. */
export interface Result extends Pick<Requirement, "id" | "level" | "text"> {
  met: boolean;
  /** Expected and got, if it is not met. */
  reason?: string;
}

/**
 * Plays the scenarios against the client.
 *
 * @returns a result for each requirement, in their order.
 * @throws Error if the command cannot be started.
 */
export async function testClient(
  requirements: readonly Requirement[],
  options: SuiteOptions,
  finished: (result: Result) => void = () => undefined,
): Promise<Result[]> {
  const limit = pLimit(options.jobs);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  // Each scenario listens.
  setMaxListeners(0, signal);
  const play = async (requirement: Requirement): Promise<Result> => {
    const result = await resultOf(requirement, { ...options, signal }).catch((error: unknown) => {
      stop.abort();
      throw error;
    });
    finished(result);
    return result;
  };
  // The longest first: the others then fill the time that these wait.
  const longestFirst = [...requirements].sort((a, b) => limitOf(b) - limitOf(a));
  const playing = new Map(longestFirst.map((requirement) => [requirement, limit(() => play(requirement))]));
  return Promise.all(requirements.map((requirement) => playing.get(requirement) as Promise<Result>));
}

async function resultOf(requirement: Requirement, options: SuiteOptions): Promise<Result> {
  options.signal.throwIfAborted();
  const { id, level, text } = requirement;
  const timeLimitMs = (options.timeLimitSeconds ?? limitOf(requirement)) * 1_000;
  try {
    await Stage.play({ ...options, timeLimitMs }, (stage) => requirement.play(stage));
    return { id, level, text, met: true };
  } catch (error) {
    if (!(error instanceof Unmet)) throw error;
    return { id, level, text, met: false, reason: error.message };
  }
}

function limitOf({ timeLimitSeconds = TIME_LIMIT_SECONDS }: Requirement): number {
  return timeLimitSeconds;
}
