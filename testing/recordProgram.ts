import * as pulumi from "@pulumi/pulumi";
import { type Registration, relayMocks, type RelayMocksOptions } from "./relayMocks";

export interface RunOptions extends RelayMocksOptions {
  /** Whether the program runs as in a preview, where `apply` is not called with unknown values. @default false */
  preview?: boolean;
  /** Whether AWS's computed values are known. @default true, except in a preview */
  created?: boolean;
  /** The project's name. @default "project" */
  project?: string;
  /** The stack's name. @default "stack" */
  stack?: string;
  /** The stack's whole config, with namespaces: `{ "project:issuer": "…" }`. @default the process's own */
  config?: Record<string, string>;
}

export interface Recorded<T> {
  /** What the program returned; undefined where it failed. */
  result: T | undefined;
  registrations: Registration[];
  errors: Error[];
}

/**
 * Runs a program under `relayMocks` until everything is registered, or until so many errors came of it: an output that failed
 * leaves the registrations that need it open for ever.
 *
 * @param awaitedErrors One that came later would be taken for the next program's.
 */
export async function recordProgram<T>(
  program: () => T | PromiseLike<T>,
  { preview = false, created = !preview, project = "project", stack = "stack", config, ...options }: RunOptions = {},
  awaitedErrors = 1,
): Promise<Recorded<T>> {
  const mocks = relayMocks({ ...options, created });
  const rejections: Error[] = [];
  let stopWaiting!: () => void;
  const failed = new Promise<void>((resolve) => (stopWaiting = resolve));
  const onRejection = (reason: unknown) => {
    if (reported.has(reason as Error)) return;
    rejections.push(reason as Error);
    if (rejections.length >= awaitedErrors) setImmediate(stopWaiting);
  };
  process.on("unhandledRejection", onRejection);
  const configBefore = pulumi.runtime.allConfig();
  await pulumi.runtime.setMocks(mocks, project, stack, preview);
  if (config) pulumi.runtime.setAllConfig(config);
  let result: T | undefined;
  try {
    result = await program();
    await Promise.race([failed, waitForRPCs()]);
    await new Promise(setImmediate);
    await Promise.race([failed, waitForRPCs()]);
    if (rejections.length > 0) await untilQuiet(() => rejections.length + mocks.registrations.length);
  } finally {
    process.off("unhandledRejection", onRejection);
    pulumi.runtime.setAllConfig(configBefore);
  }
  // The reason comes before the registrations that failed of it.
  const errors = [...mocks.refusals, ...rejections];
  for (const error of errors) if (error instanceof Error) reported.add(error);
  // What an error left open is no news at the end of the tests.
  if (errors.length > 0) leakedPromises();
  return { result, registrations: mocks.registrations, errors };
}

/** Errors of earlier programs. On a busy machine, what depends on one may still reject during the next program. */
const reported = new WeakSet<Error>();

/**
 * Waits until nothing more comes of a program that failed. Its other resources go on, and what fails of the error rejects when
 * their functions have been bundled: the next program would get it.
 */
async function untilQuiet(happened: () => number): Promise<void> {
  let before: number;
  do {
    before = happened();
    await new Promise((resolve) => setTimeout(resolve, quietMs));
  } while (happened() !== before);
}

const quietMs = 500;

// Pulumi keeps both out of its types.
const { leakedPromises } = require("@pulumi/pulumi/runtime/debuggable") as { leakedPromises: () => void };
const { waitForRPCs } = require("@pulumi/pulumi/runtime/settings") as { waitForRPCs: () => Promise<void> };
