/** What is checked of a token if the config does not say. */
export const VERIFIER_DEFAULTS = { userClaim: "sub", clockToleranceSeconds: 5 } as const;

/** RFC 7519, section 4.1.4: "usually no more than a few minutes". */
export const MAX_CLOCK_TOLERANCE_SECONDS = 300;

/** Whether it is a whole number of seconds within the limit. */
export function isClockTolerance(seconds: unknown): boolean {
  return Number.isInteger(seconds) && (seconds as number) >= 0 && (seconds as number) <= MAX_CLOCK_TOLERANCE_SECONDS;
}
