import { refuseUnallowed } from "./options";
import { refuse, refuseUnknownKeys, refuseUnlessObject } from "./refuse";
import { spec } from "./spec";

const { keys } = spec.accessLogs;

/** The gateway's log of handshakes, frames and closed connections. */
export interface AccessLogsArgs {
  /**
   * API Gateway writes logs with one role for all APIs of an account and region. `exists`: the role is already set, and the
   * relay leaves it alone. `create`: the relay creates the role and sets it. Use `create` in one relay of one stack only:
   * the last to write wins, and destroying that stack stops the logs of every other API of the account and region.
   */
  accountRole: "exists" | "create";
}

/** @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do. */
export function refuseBadAccessLogs(given: unknown): void {
  const fix = 'write { accountRole: "exists" }, or "create" where no stack of the account and region has set the role';
  refuseUnlessObject("accessLogs", given, "{ accountRole }", fix);
  refuseUnknownKeys("accessLogs.", given, Object.keys(keys));
  if (given.accountRole === undefined || given.accountRole === null) {
    refuse("accessLogs.accountRole", given.accountRole, '"exists" or "create"', fix);
  }
  refuseUnallowed("accessLogs.", given, keys);
}
