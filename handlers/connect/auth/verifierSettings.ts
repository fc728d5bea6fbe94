/** The defaults of the verifier's settings. */
export const VERIFIER_DEFAULTS = { userClaim: "sub", clockToleranceSeconds: 5 } as const;

/** RFC 7519, section 4.1.4: "usually no more than a few minutes". */
export const MAX_CLOCK_TOLERANCE_SECONDS = 300;

/** Whether aws-jwt-verify accepts it as a user pool's id: it throws an error of its own by this pattern. */
export function isUserPoolId(id: unknown): id is string {
  return typeof id === "string" && /^(eusc-[a-z]{2}|[a-z]{2})-(gov-)?[a-z]+-\d_[a-zA-Z0-9]+$/.test(id);
}

/** Whether it is a whole number of seconds within the limit. */
export function isClockTolerance(seconds: unknown): boolean {
  return Number.isInteger(seconds) && (seconds as number) >= 0 && (seconds as number) <= MAX_CLOCK_TOLERANCE_SECONDS;
}
