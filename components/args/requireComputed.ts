import * as pulumi from "@pulumi/pulumi";
import { asOneMessage } from "./refuse";

/**
 * A value that the provider computes. The engine always provides it; mocks of a unit test may leave it out, as those in Pulumi's
 * docs do.
 *
 * @param what Resource and property, for the message.
 */
export function requireComputed(value: string | undefined, what: string): string {
  if (typeof value === "string") return value;
  const message =
    `${what} is ${String(value)}, where AWS computes a string: the mocks of this test have no value for it. Fix: run the ` +
    "program with runUnderMocks of pulumi-websocket-relay/testing, or return it from mocks of your own";
  // Without this log line the failure is silent and the test times out.
  void pulumi.log.error(message);
  throw asOneMessage(new Error(message));
}
