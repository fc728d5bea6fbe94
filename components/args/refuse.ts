import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { nearest } from "../../handlers/nearest";

/** What is wrong with an argument: which, and the rest of the sentence after its name. */
export interface Problem {
  path: string;
  text: string;
}

/** @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do. */
export function refuse(propertyPath: string, got: unknown, allowed: string, fix: string): never {
  throw inputError(propertyPath, problemText(got, allowed, fix));
}

/** Refuses where there is a problem, told in full already. */
export function refuseProblem(propertyPath: string, problem: string | undefined): void {
  if (problem !== undefined) throw inputError(propertyPath, problem);
}

/** Refuses a value that is not a whole number in the range. */
export function refuseUnlessInteger(path: string, value: unknown, min: number, max: number, byDefault?: number): void {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  const theDefault = byDefault === undefined ? "the default" : `the default of ${byDefault}`;
  const fix = deferredFix(value) ?? unquoted(value) ?? `choose one in that range, or leave it out for ${theDefault}`;
  refuse(path, value, `a whole number from ${min} to ${max}`, fix);
}

/** What to do about a value that is known too late: it decides which resources there are, or what is in them. */
function deferredFix(value: unknown): string | undefined {
  return isDeferred(value) ? "pass the value itself, neither an output nor a secret" : undefined;
}

/** How to write a number that was given as a text, as config and environment variables have it. */
export function unquoted(value: unknown): string | undefined {
  const isNumber = typeof value === "string" && /^\s*[+-]?\d+\s*$/.test(value);
  return isNumber ? `write ${Number(value)} without quotes` : undefined;
}

/** Refuses everything but true and false: a string would count as true, even "false". */
export function refuseUnlessBoolean(path: string, value: unknown): void {
  refuseProblem(path, booleanProblem(value));
}

function booleanProblem(value: unknown): string | undefined {
  if (typeof value === "boolean") return undefined;
  const [word] = typeof value === "string" ? (/^(true|false)$/i.exec(value.trim()) ?? []) : [];
  const fix = deferredFix(value) ?? `write ${word?.toLowerCase() ?? "one of them"} without quotes`;
  return problemText(value, "true or false", fix);
}

/** Refuses a value that is not one of the words. */
export function refuseUnlessOneOf(path: string, value: unknown, words: readonly string[]): void {
  if (words.includes(value as string)) return;
  const near = nearest(value, words);
  const quoted = words.map((word) => JSON.stringify(word));
  const fix = deferredFix(value) ?? (near === undefined ? "write one of them" : `write ${JSON.stringify(near)}`);
  refuse(path, value, quoted.join(" or "), fix);
}

/** Refuses a value that is not a list; the error shows the value as a list. */
export function refuseUnlessList(path: string, value: unknown, what: string): asserts value is unknown[] {
  if (Array.isArray(value)) return;
  const isOne = typeof value === "string" || typeof value === "number";
  refuse(path, value, `a list of ${what}`, `write ${isOne ? `[${JSON.stringify(String(value))}]` : "it in brackets"}`);
}

/** Refuses a value that is not an object with known keys. */
export function refuseUnlessObject(
  path: string,
  value: unknown,
  allowed: string,
  fix: string,
): asserts value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || isDeferred(value)) {
    refuse(path, value, allowed, fix);
  }
}

/** Refuses a key that nothing reads. @param prefix `alarms.`, where the keys are those of an argument. */
export function refuseUnknownKeys(prefix: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) refuseProblem(`${prefix}${unknown}`, unknownText(known, unknown));
}

/**
 * The input itself, checked now where its value is known, else as soon as it is: then the output fails.
 *
 * @throws pulumi.InputPropertyError where its value is known and refused.
 */
export function checkedInput(
  path: string,
  input: pulumi.Input<string>,
  problemOf: (value: unknown) => string | undefined,
): pulumi.Input<string> {
  if (!isDeferred(input)) {
    refuseProblem(path, problemOf(input));
    return input;
  }
  return pulumi.output(input).apply((value) => {
    refuseProblem(path, problemOf(value));
    return value;
  });
}

/** Whether a value is known only later. */
export function isDeferred(value: unknown): value is pulumi.Output<unknown> | Promise<unknown> {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}

/**
 * The value with `standIn` for whatever in it is known only later, so that it can be written as JSON: an output itself
 * answers JSON.stringify with a page of advice, or throws.
 */
export function redactOutputs(value: unknown, standIn: unknown): unknown {
  if (isDeferred(value)) return standIn;
  if (pulumi.Resource.isInstance(value)) return "a resource";
  if (Array.isArray(value)) return value.map((each) => redactOutputs(each, standIn));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactOutputs(inner, standIn)]));
}

export function problemText(got: unknown, allowed: string, fix: string): string {
  return `got ${shown(got)}; allowed: ${allowed}. Fix: ${fix}.`;
}

/** The value as JSON; as JavaScript shows it where JSON has no such value: NaN, a function, an object that contains itself. */
function shown(value: unknown): string {
  const isInJson = !["bigint", "symbol", "function"].includes(typeof value) && !Number.isNaN(value);
  try {
    if (isInJson) return JSON.stringify(redactOutputs(value, "an output")) ?? String(value);
  } catch {
    // It contains itself, or a bigint.
  }
  return inspect(value, { depth: 1, breakLength: Infinity });
}

/** Above this many keys, and where one of them is close, the others are counted: the list would fill the terminal. */
const maxListedKeys = 10;

/** @param alternative What else to do than to correct the key. */
export function unknownText(known: readonly string[], key: string, alternative = ""): string {
  const near = known.length > maxListedKeys ? nearest(key, known) : undefined;
  const allowed = near === undefined ? known.join(", ") : `${near} and ${known.length - 1} others`;
  return `got an unknown key; allowed: ${allowed}. Fix: ${spelling(key, known)}${alternative}.`;
}

/** What to do about a word that is none of those that are known. */
function spelling(word: unknown, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? "check the spelling" : `check the spelling (did you mean ${near}?)`;
}

function inputError(propertyPath: string, text: string): pulumi.InputPropertyError {
  return asOneMessage(new pulumi.InputPropertyError({ propertyPath, reason: `${propertyPath}: ${text}` }));
}

/**
 * The same error, of which the pulumi CLI prints the message and nothing else. Three things make it so:
 * - Pulumi's marker of a `RunError`, whose stack is hidden. An SDK finds it in an error that another copy of the SDK made.
 * - No stack: once the program itself has ended, as in an apply, Pulumi prints the stack of an error of any class.
 * - A constant message: from 3.247 on, Pulumi adds `error serializing property "…"` for each resource that an output's
 *   error passes through.
 */
export function asOneMessage<E extends Error>(error: E): E {
  const { message } = error;
  return Object.defineProperties(error, {
    __pulumiRunError: { value: true },
    stack: { value: message, configurable: true, writable: true },
    message: { get: () => message, set: () => {}, configurable: true },
  });
}
