import * as pulumi from "@pulumi/pulumi";

/**
 * A value that the provider computes. With the engine it is always there once it is known; the mocks of a unit test may leave it
 * out, as the ones do that Pulumi's docs show.
 *
 * @param what The resource and the property, as the message names it.
 */
export function requireComputed(value: string | undefined, what: string): string {
  if (typeof value === "string") return value;
  const message =
    `${what} is ${String(value)}, where AWS computes a text: the mocks of this test answer nothing for it. Fix: run the ` +
    "program by runUnderMocks of pulumi-websocket-relay/testing, or answer it in mocks of your own";
  // Without this log line the failure is silent and the test times out.
  void pulumi.log.error(message);
  throw new Error(message);
}
