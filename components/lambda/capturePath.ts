import * as pulumi from "@pulumi/pulumi";
import { builtinModules } from "node:module";

/** A value that a callback captures, and how it is reached. */
export interface Capture {
  value: unknown;
  /** `config.users[0]` */
  path: string;
  /** The functions between the callback and the variable, the outermost first. */
  through: readonly string[];
  /** Reached only as the class of an object, by its prototype's `constructor`. */
  isMaker: boolean;
}

/** Internals of Pulumi. A version without them gets errors that name no variable. */
interface Closures {
  parseFunction(text: string): [error: string, parsed?: { capturedVariables: Record<string, Map<string, unknown>> }];
  lookupCapturedVariableValueAsync(from: unknown, name: string, throwOnFailure: boolean): Promise<unknown>;
}

/** The shortest path to a captured value that `isIt` accepts, written as in code; undefined if no path is found. */
export async function capturePath(callback: unknown, isIt: (capture: Capture) => boolean): Promise<string | undefined> {
  const closures = closuresOfPulumi();
  if (!closures) return undefined;
  const seen = foreignValues();
  let level: Capture[] = [{ value: callback, path: "", through: [], isMaker: false }];
  while (level.length > 0) {
    const found = level.find(isIt);
    if (found) return [found.path, ...found.through.toReversed().map((name) => `captured by ${name}`)].join(", ");
    const next: Capture[] = [];
    for (const capture of level) {
      const isLeaf = (typeof capture.value !== "object" && typeof capture.value !== "function") || !capture.value;
      if (isLeaf || seen.has(capture.value) || isPulumis(capture.value)) continue;
      seen.add(capture.value);
      next.push(...(await inside(capture, capture.value as object)), ...(await variables(capture, closures)));
    }
    level = next;
  }
  return undefined;
}

/** The variables that a function captures. */
async function variables({ value, path, through }: Capture, closures: Closures): Promise<Capture[]> {
  if (typeof value !== "function") return [];
  const [, parsed] = closures.parseFunction(Function.prototype.toString.call(value));
  const names = Object.values(parsed?.capturedVariables ?? {}).flatMap((kind) => [...kind.keys()]);
  const captures = names.map(async (name) => ({
    value: await closures.lookupCapturedVariableValueAsync(value, name, false),
    path: name,
    through: path === "" ? through : [...through, path],
    isMaker: false,
  }));
  return Promise.all(captures);
}

/** The parts of an object: its properties and its prototype; the value of an output or a promise. */
async function inside(capture: Capture, value: object): Promise<Capture[]> {
  if (pulumi.Output.isInstance(value)) {
    return [{ ...capture, value: await (value as unknown as { promise(): Promise<unknown> }).promise() }];
  }
  if (value instanceof Promise) return [{ ...capture, value: await value }];
  const properties = Reflect.ownKeys(value).flatMap((key) => {
    const { value: inner, get, set } = Object.getOwnPropertyDescriptor(value, key) ?? {};
    const isMaker = key === "constructor" && typeof inner === "function";
    const path = isMaker || key === "prototype" ? capture.path : `${capture.path}${accessor(key, value)}`;
    return [key, inner, get, set]
      .filter(
        (each) => typeof each === "symbol" || (typeof each === "object" && each !== null) || typeof each === "function",
      )
      .map((each) => ({ ...capture, value: each, path, isMaker }));
  });
  const prototype = { ...capture, value: Object.getPrototypeOf(value) as unknown };
  return typeof value === "function"
    ? [...properties, { ...prototype, path: `${capture.path}'s base class` }]
    : [...properties, prototype];
}

function accessor(key: string | symbol, owner: object): string {
  if (typeof key === "symbol") return `[${String(key)}]`;
  if (Array.isArray(owner)) return `[${key}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** Values that Pulumi writes by name: the engine's globals and packages. */
function foreignValues(): Set<unknown> {
  const packages = Object.entries(require.cache).filter(([file]) => /[\\/]node_modules[\\/]/.test(file));
  return new Set<unknown>([
    ...[Object.prototype, Function.prototype, Array.prototype],
    ...packages.map(([, module]) => module?.exports as unknown),
    // Without modules that warn when they are loaded.
    ...builtinModules.filter((name) => !/^(_.*|punycode|sys|wasi)$/.test(name)).map((name) => require(name) as unknown),
  ]);
}

/** Pulumi's internal properties. */
function isPulumis(value: unknown): boolean {
  return pulumi.Resource.isInstance(value) || value instanceof pulumi.Config;
}

function closuresOfPulumi(): Closures | undefined {
  try {
    return {
      ...(require("@pulumi/pulumi/runtime/closure/parseFunction") as Pick<Closures, "parseFunction">),
      ...(require("@pulumi/pulumi/runtime/closure/v8") as Pick<Closures, "lookupCapturedVariableValueAsync">),
    };
  } catch {
    return undefined;
  }
}
