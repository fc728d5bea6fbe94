import * as pulumi from "@pulumi/pulumi";
import { stop } from "esbuild";
import { exportsOf, type ProgramEntry } from "./program";
import type { Provisioner } from "../provision/provisioner";
import type { Properties } from "../provision/resource";
import { asRuntimeConfig, type StackConfig } from "./stackConfig";

export interface RunProgramOptions {
  entry: ProgramEntry;
  stack: string;
  config: StackConfig;
  provisioner: Provisioner;
  /** Called with errors that occur after the run is ready. They are the program's, never the caller's. */
  onLateError: (error: Error) => void;
  /** Milliseconds without any registration after which inputs that are still unresolved count as never resolving. */
  stalledAfterMs?: number;
}

/**
 * Executes a Pulumi program as the engine would, under Pulumi's mocks: each custom resource that it registers is
 * provisioned, in dependency order, before its outputs resolve. Once a process, since Pulumi's runtime is global to it.
 *
 * Resolves with the stack's outputs when everything is registered and provisioned. Rejects with the program's own error,
 * the provisioner's, or one that names a resource whose inputs never resolve.
 */
export async function runProgram(options: RunProgramOptions): Promise<Properties> {
  const { entry, stack, config, provisioner, onLateError, stalledAfterMs = 20_000 } = options;
  const constructed = new Map<string, pulumi.ResourceTransformationArgs>();
  let ready = false;
  let lastProgressMs = Date.now();
  let provisioning = 0;
  let progress: (() => void) | undefined;

  let reject!: (error: Error) => void;
  const failed = new Promise<never>((_, rejectFailed) => (reject = rejectFailed));
  const fail = (reason: unknown) => {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    (ready ? onLateError : reject)(error);
  };
  // Errors in an apply, and errors of a registration, are reported nowhere else.
  process.on("unhandledRejection", fail);

  // Not waitForRPCs of the runtime: it does not count a resource whose inputs are still to come.
  const untilIdle = async () => {
    for (let idleTurns = 0; idleTurns < 3; idleTurns = constructed.size + provisioning > 0 ? 0 : idleTurns + 1) {
      // A registration that follows from the last answer starts within the next turns of the event loop.
      await (constructed.size + provisioning > 0 ? new Promise<void>((done) => (progress = done)) : nextTurn());
    }
  };

  const register = async ({ type, name, inputs, custom, id: readId }: pulumi.runtime.MockResourceArgs) => {
    constructed.delete(`${type} ${name}`);
    if (ready) {
      const error = new Error(
        `${type} (${name}) was registered after the run was ready: create resources in the program's own course, ` +
          "not in an apply that awaits something else",
      );
      fail(error);
      throw error;
    }
    provisioning += 1;
    try {
      if (!custom) {
        return { id: "", state: inputs as Properties };
      }
      if (readId) {
        const state = await provisioner.read(type, name, readId);
        if (!state) throw new Error(missing(type, name, readId, provisioner.canRead(type, name)));
        return { id: readId, state };
      }
      const { id, outputs } = await provisioner.create(type, name, withoutSecrets(inputs) as Properties);
      return { id, state: outputs };
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      provisioning -= 1;
      lastProgressMs = Date.now();
      progress?.();
    }
  };

  const call = async ({ token, inputs }: pulumi.runtime.MockCallArgs): Promise<Properties> => {
    provisioning += 1;
    try {
      return await provisioner.call(token, withoutSecrets(inputs) as Properties);
    } catch (error) {
      // A rejected mock call loses its message on the way to the program.
      fail(error);
      throw error;
    } finally {
      provisioning -= 1;
      lastProgressMs = Date.now();
      progress?.();
    }
  };

  const run = async (): Promise<Properties> => {
    await pulumi.runtime.setMocks({ newResource: register, call }, config.project, stack, false);
    pulumi.runtime.setAllConfig(asRuntimeConfig(config));
    const outputs = await pulumi.runtime.runInPulumiStack(() => {
      pulumi.runtime.registerStackTransformation((args) => {
        refuseTransforms(args);
        constructed.set(`${args.type} ${args.name}`, args);
        return undefined;
      });
      return exportsOf(entry);
    });
    const values = await promiseOf(outputs ?? {});
    await untilIdle();
    return withoutSecrets(values) as Properties;
  };

  const stalled = setInterval(() => {
    if (provisioning === 0 && constructed.size > 0 && Date.now() - lastProgressMs > stalledAfterMs) {
      void unresolved([...constructed.values()]).then((text) => fail(new Error(text)));
    }
  }, 250);

  try {
    const outputs = await Promise.race([run(), failed]);
    ready = true;
    return outputs;
  } finally {
    clearInterval(stalled);
    // Everything is bundled: esbuild would keep a process of 100 MB for as long as the run lasts.
    await stop();
  }
}

function missing(type: string, name: string, id: string, canRead: boolean): string {
  return canRead
    ? `${type} (${name}): nothing exists here under the id ${id} that get() was given`
    : `${type} (${name}): the local run cannot read this resource type: give it a read in local/provision`;
}

/** Mocks never call `transforms`: the program would run here without them, and differently on AWS. */
function refuseTransforms({ type, name, opts }: pulumi.ResourceTransformationArgs): void {
  if (opts.transforms && opts.transforms.length > 0) {
    throw new Error(
      `${type} (${name}) has transforms, which the local run cannot apply: use transformations, or run it with the pulumi CLI`,
    );
  }
}

async function unresolved(pending: pulumi.ResourceTransformationArgs[]): Promise<string> {
  const names = await Promise.all(
    pending.map(async ({ type, name, props }) => {
      const keys = Object.keys(props as Properties);
      const open = await Promise.all(keys.map((key) => isOpen((props as Properties)[key])));
      const never = keys.filter((_, index) => open[index]);
      return `${type} (${name})${never.length > 0 ? `, input ${never.join(", ")}` : ""}`;
    }),
  );
  return `never resolved, so never registered: ${names.join("; ")}`;
}

async function isOpen(value: unknown): Promise<boolean> {
  let open = true;
  const settle = () => (open = false);
  void promiseOf(value).then(settle, settle);
  for (let turn = 0; turn < 10; turn += 1) {
    await nextTurn();
  }
  return open;
}

function nextTurn(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}

function promiseOf(value: unknown): Promise<unknown> {
  return new Promise((resolved, rejected) => {
    const output = pulumi.output(value) as pulumi.Output<unknown> & { promise(): Promise<unknown> };
    output.promise().then(resolved, rejected);
  });
}

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Secrets reach a provider wrapped; nothing here keeps state that would need them to be. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutSecrets);
  }
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  const properties = value as Properties;
  if (properties[signatureKey] === secretSignature) {
    return withoutSecrets(properties.value);
  }
  return Object.fromEntries(Object.entries(properties).map(([key, inner]) => [key, withoutSecrets(inner)]));
}
