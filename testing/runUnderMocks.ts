import * as pulumi from "@pulumi/pulumi";
import { recordProgram, type RunOptions } from "./recordProgram";
import type { Registration } from "./relayMocks";

/** A program that ran under mocks, and registered everything. */
export interface Run<T> {
  /** What the program returned, such as the module with its outputs: see `valueOf`. */
  result: T;
  /** Everything that was registered, in that order. */
  registrations: Registration[];
  /** What was registered of a type, such as `aws:sqs/queue:Queue`. */
  registered(type: string): Registration[];
  /**
   * The inputs of the one resource of that type and name.
   *
   * @throws Error if no such resource was registered, or several were.
   */
  inputs(type: string, name: string): Record<string, unknown>;
}

/**
 * Runs a Pulumi program, with its relays, under mocks that refuse what they do not foresee, and waits until everything is
 * registered. Where the program is a module, the function has to load it: nothing of Pulumi's may run before the mocks are set.
 *
 * Rejects with the first error of the program, also with one that Pulumi itself would keep silent about, such as an output that
 * fails. One program runs at a time.
 */
export async function runUnderMocks<T>(program: () => T | PromiseLike<T>, options: RunOptions = {}): Promise<Run<T>> {
  const { result, registrations, errors } = await recordProgram(program, options);
  if (errors.length > 0) throw errors[0];
  return runOf(result as T, registrations);
}

/** Ways to look at what was registered. */
export function runOf<T>(result: T, registrations: Registration[]): Run<T> {
  const registered = (type: string) => registrations.filter((each) => each.type === type);
  return {
    result,
    registrations,
    registered,
    inputs: (type, name) => {
      const [found, ...others] = registered(type).filter((each) => each.name === name);
      if (found && others.length === 0) return found.inputs;
      const names = registered(type).map((each) => each.name);
      throw new Error(
        `${type} ${name} was registered ${found ? "twice" : "never"}; of that type: ${names.join(", ") || "none"}`,
      );
    },
  };
}

/**
 * The value of an output; undefined where it is unknown, as in a preview. Rejects with the output's error, where `.apply` would
 * never call back: a test waits until its time-out then.
 */
export function valueOf<T>(output: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  return (pulumi.output(output) as unknown as { promise(): Promise<pulumi.Unwrap<T>> }).promise();
}
