import type { Iam } from "../iam/iam";
import type { Trace } from "../trace/trace";
import type { Invoker } from "../lambda/invoker";

/** Shared by every part of the gateway. */
export interface GatewayEnvironment {
  readonly invoker: Invoker;
  readonly trace: Trace;
  /** Judges the calls to the management API. */
  readonly iam: Iam;
  /** By how much the idle and connection clocks run faster than on AWS. */
  readonly timeScale: number;
  /** `$disconnect` is best effort on AWS: whether the one that is due is lost. */
  takeLostDisconnect(): boolean;
  /** Receives details that the client does not get, such as why an integration failed. */
  log(line: string): void;
  /** The status that the next management call has to answer with, if one was injected. */
  takeManagementFault(): number | undefined;
}
