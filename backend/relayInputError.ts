import { nearest } from "../handlers/nearest";

/** An input is invalid, and nothing was sent. The error message never quotes the payload. */
export class RelayInputError extends Error {
  override readonly name = "RelayInputError";

  constructor(
    /** Name of the invalid input: `user`, `message`, `expiresAt`, `topicArn`, … */
    readonly input: string,
    private readonly problem: string,
    private readonly allowed: string,
    private readonly fix: string,
    /** Position of the invalid publication in the list that `publishBatch` was given; undefined otherwise. */
    readonly index?: number,
  ) {
    super(`${index === undefined ? "" : `publications[${index}]: `}${problem}; allowed: ${allowed}. Fix: ${fix}.`);
  }

  /** @internal The same error, about the entry of a list. */
  at(index: number): RelayInputError {
    return new RelayInputError(this.input, this.problem, this.allowed, this.fix, index);
  }

  /** Also true for another copy of this class: a program may load the package both as an ES module and as CommonJS. */
  static override [Symbol.hasInstance](value: unknown): value is RelayInputError {
    if (this !== RelayInputError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof Error && value.name === "RelayInputError";
  }
}

/**
 * Refuses an unknown key: without types, a misspelled one would silently keep the default.
 *
 * @throws RelayInputError
 */
export function refuseUnknownKeys(what: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    const got = Array.isArray(given) ? "a list" : JSON.stringify(given);
    throw new RelayInputError(what, `${what} is ${got}`, `an object with ${known.join(", ")}`, "pass an object");
  }
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const fix = near === undefined ? "check the spelling" : `check the spelling (did you mean ${near}?)`;
  throw new RelayInputError(unknown, `${unknown} is not a key of ${what}`, known.join(", "), fix);
}
