import type { Trace } from "../trace";
import type { Invoker } from "../lambda/invoker";

/** What every part of the gateway works with. */
export interface GatewayEnvironment {
  readonly invoker: Invoker;
  readonly trace: Trace;
  /** By how much the idle and connection clocks run faster than on AWS. */
  readonly timeScale: number;
  /** `$disconnect` is best effort on AWS: true delivers none at all. */
  readonly loseDisconnects: boolean;
  /** For what the client is not told: why an integration failed. */
  log(line: string): void;
  /** The status that the next management call has to answer with, if one was injected. */
  takeManagementFault(): number | undefined;
}
