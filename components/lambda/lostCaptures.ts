import * as pulumi from "@pulumi/pulumi";
import { transform } from "esbuild";
import { types } from "node:util";
import { type Capture, capturePath } from "./capturePath";

type Callback = (...args: never[]) => unknown;
type AnyFunction = (...args: unknown[]) => unknown;

/** A value whose copy would not work: its kind, the reason, and what to do instead. */
type Loss = [kind: string, advice: string];

class LostCapture extends Error {
  constructor(
    readonly isLost: (capture: Capture) => boolean,
    readonly loss: Loss,
  ) {
    super(loss.join(": "));
  }
}

/**
 * Runs `serialize`, whose hook Pulumi calls with every value that it writes. Rejects, naming the variable, if a value is more
 * than its properties: Pulumi would write a Date or a Set as an empty object, which throws when it is used.
 */
export async function refusingLostCaptures<T>(
  callback: Callback,
  serialize: (hook: (value: unknown) => boolean) => Promise<T>,
): Promise<T> {
  const classes = new Set<AnyFunction>();
  try {
    const serialized = await serialize((value) => {
      const loss = typeof value === "function" ? lossOfFunction(value as AnyFunction) : lossOf(value);
      if (loss) throw new LostCapture((capture) => capture.value === value, loss);
      if (isClass(value)) classes.add(value);
      return true;
    });
    for (const each of classes) await refuseLostClass(callback, each);
    return serialized;
  } catch (error) {
    if (!(error instanceof LostCapture)) throw error;
    const [kind, advice] = error.loss;
    const path = (await capturePath(callback, error.isLost)) ?? "a value";
    throw new Error(`a callback captures ${path}, ${kind}: ${advice}`, { cause: error });
  }
}

function lossOf(value: unknown): Loss | undefined {
  // From Node 21 on, an error's stack is an accessor of the engine, which Pulumi cannot write.
  if (types.isNativeError(value)) {
    return [`an ${errorName(value)}`, "its stack cannot be copied. Fix: create it inside the callback"];
  }
  const kind = lostKind(value);
  if (kind === undefined) return undefined;
  const fix =
    "create it inside the callback, or capture what it is made from: a string, a number, an array or a plain object";
  return [kind, `its copy in the function's archive would be an empty object. Fix: ${fix}`];
}

/** "Error", or "error (RangeError)". */
function errorName({ constructor = Error }: Error): string {
  return constructor.name === "Error" ? "Error" : `error (${constructor.name})`;
}

function lostKind(value: unknown): string | undefined {
  if (typeof value === "symbol") return "a symbol";
  if (typeof value !== "object" || value === null || pulumi.Output.isInstance(value)) return undefined;
  if (types.isProxy(value)) return "a Proxy";
  // Pulumi omits the first, and writes code that recreates the others.
  if ("doNotCapture" in value || types.isPromise(value) || types.isRegExp(value)) return undefined;
  if (types.isGeneratorObject(value)) return "a generator's iterator";
  const maker = prototypesOf(value)
    .map((prototype): unknown => Object.getOwnPropertyDescriptor(prototype, "constructor")?.value)
    .find(hasHiddenState);
  return maker && `${/^[AEIO]/.test(maker.name) ? "an" : "a"} ${maker.name}`;
}

/** The engine's and Node's global classes, except those whose instances are just their properties. */
function hasHiddenState(maker: unknown): maker is AnyFunction {
  if (typeof maker !== "function" || /^(|Object|Array|Function|\w*Error)$/.test(maker.name)) return false;
  return isNative(maker) || (globalThis as Record<string, unknown>)[maker.name] === maker;
}

function lossOfFunction(value: AnyFunction): Loss | undefined {
  // Of bound arguments, Pulumi only writes texts and numbers.
  if (!types.isProxy(value) && isNative(value) && value.name.startsWith("bound ")) {
    return ["a bound function", "what it is bound to would be lost. Fix: call the method inside the callback"];
  }
  const base = builtInBase(value);
  return base && !isError(base) ? lossOfExtension(base) : undefined;
}

/** Pulumi writes classes as functions, and those can call no built-in constructor. */
function builtInBase(value: AnyFunction): AnyFunction | undefined {
  if (!isClass(value)) return undefined;
  return prototypesOf(value).find(
    (each): each is AnyFunction => hasHiddenState(each) || (isNative(each) && each !== Function.prototype),
  );
}

function lossOfExtension(base: AnyFunction): Loss {
  return [`which extends ${base.name}`, `it would no longer. Fix: ${requireInside}`];
}

const requireInside = "require the class's file inside the callback";

/**
 * Pulumi writes a class's constructor and methods, but no field initializers and no private names. Classes that only Pulumi
 * itself reaches, such as the errors of `pulumi.Config`, are not checked.
 */
async function refuseLostClass(callback: Callback, value: AnyFunction): Promise<void> {
  const refuseCaptured = async (loss: Loss, isLost: (capture: Capture) => boolean) => {
    if ((await capturePath(callback, isLost)) !== undefined) throw new LostCapture(isLost, loss);
  };
  const base = builtInBase(value);
  if (base) await refuseCaptured(lossOfExtension(base), (capture) => capture.value === value);
  // For engines without class fields, esbuild writes them as calls.
  const { code } = await transform(`(${textOf(value)})`, { target: "es2021", logLevel: "silent" });
  if (/\b__private(Add|Method)\(/.test(code)) {
    const loss: Loss = ["which has #private members", `they would be lost. Fix: ${requireInside}`];
    throw new LostCapture((capture) => capture.value === value, loss);
  }
  if (/\b__publicField\(this, ("([^"\\]|\\.)*"|[\w$]+), /.test(code)) {
    const loss: Loss = ["a class with fields", `they would be lost. Fix: ${requireInside}`];
    // An existing object of the class has its fields: only a new one would lack them.
    await refuseCaptured(loss, (capture) => capture.value === value && !capture.isMaker);
  }
}

function isClass(value: unknown): value is AnyFunction {
  return typeof value === "function" && /^class(\s+[^\s(]|\s*\{)/.test(textOf(value as AnyFunction));
}

function isError(value: AnyFunction): boolean {
  return value === Error || value.prototype instanceof Error;
}

function isNative(value: unknown): value is AnyFunction {
  return typeof value === "function" && textOf(value as AnyFunction).endsWith("{ [native code] }");
}

function textOf(value: AnyFunction): string {
  return Function.prototype.toString.call(value);
}

function prototypesOf(value: object): object[] {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null ? [] : [prototype, ...prototypesOf(prototype)];
}
