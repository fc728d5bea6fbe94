import { refuse, refuseUnknownKeys, refuseUnlessObject, refuseUnlessOneOf } from "./refuse";

/** The gateway's own log of handshakes, frames and closed connections. */
export interface AccessLogsArgs {
  /**
   * API Gateway writes to CloudWatch by one role for the whole account and region, shared by all of their APIs.
   * `exists`: somebody else has set it, and it is left alone. `create`: the stack makes the role and sets it. Say so for one
   * relay of one stack only: of several, the last to write wins. To destroy that stack takes the role away from every
   * other API of the account and region, whose logs then stop.
   */
  accountRole: "exists" | "create";
}

/** @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do. */
export function refuseBadAccessLogs(given: unknown): void {
  const fix = 'write { accountRole: "exists" }, or "create" where no stack of the account and region has set the role';
  refuseUnlessObject("accessLogs", given, "{ accountRole }", fix);
  refuseUnknownKeys("accessLogs.", given, ["accountRole"]);
  if (given.accountRole === undefined || given.accountRole === null) {
    refuse("accessLogs.accountRole", given.accountRole, '"exists" or "create"', fix);
  }
  refuseUnlessOneOf("accessLogs.accountRole", given.accountRole, ["exists", "create"]);
}
