import { nearest } from "../handlers/nearest";

/** What a caller gave cannot be used; nothing was sent. The message quotes no payload. */
export class RelayInputError extends Error {
  override readonly name = "RelayInputError";

  constructor(
    /** Which input it is: `user`, `message`, `expiresAt`, `topicArn`, … */
    readonly input: string,
    problem: string,
    allowed: string,
    fix: string,
  ) {
    super(`${problem}; allowed: ${allowed}. Fix: ${fix}.`);
  }

  /** Also one of another copy of this class: a program may load the package as an ES module and as CommonJS. */
  static override [Symbol.hasInstance](value: unknown): value is RelayInputError {
    if (this !== RelayInputError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof Error && value.name === "RelayInputError";
  }
}

/**
 * Refuses a key that nothing reads: without types a misspelled one would silently mean the default.
 *
 * @throws RelayInputError
 */
export function refuseUnknownKeys(what: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    const got = Array.isArray(given) ? "a list" : JSON.stringify(given);
    throw new RelayInputError(what, `${what} is ${got}`, `an object with ${known.join(", ")}`, "pass one");
  }
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const fix = near === undefined ? "check the spelling" : `check the spelling (did you mean ${near}?)`;
  throw new RelayInputError(unknown, `${unknown} is no key of ${what}`, known.join(", "), fix);
}
