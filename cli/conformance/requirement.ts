import type { Stage } from "./stage";

/** A requirement of docs/protocol.md, which lists them by their IDs, and the scenario that tests it. */
export interface Requirement {
  /** Its rule and a number, such as `R4.1`. An ID never changes its meaning. */
  id: string;
  /** `must`: a client that does not meet it loses, repeats or mixes up messages, or burdens the relay. */
  level: "must" | "should";
  /** What the client does, in the present tense. */
  text: string;
  /** Seconds after which the scenario fails. @default 30 */
  timeLimitSeconds?: number;
  /** @throws Unmet if the client does not meet it. */
  play(stage: Stage): Promise<void>;
}
