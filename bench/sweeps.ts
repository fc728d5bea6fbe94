import { join } from "node:path";
import type { LocalCloud } from "../local/cloud";
import type { FunctionConfiguration } from "../local/lambda/localFunction";
import { functionIn, type Recorder } from "./recorder";

export interface Swept {
  /** Runs of the sweeper, the last one of each turn without a write. */
  runs: number;
}

interface RuleTarget {
  functionArn: string;
}

/** The inside of a local run that has no interface: its rules, and its functions. */
interface Inside {
  eventRules: {
    rules: Map<string, { targets: Map<string, RuleTarget> }>;
    invoke(rule: string, target: RuleTarget): Promise<void>;
  };
  lambda: { functions: Map<string, { configuration: FunctionConfiguration }> };
}

const SHIFT = { NODE_OPTIONS: `--require ${join(__dirname, "shiftedClock.js")}`, CLOCK_SHIFT_MS: "0" };

/** More runs would mean that the sweeper never finishes. */
const MOST_RUNS = 50;

/** Runs the history sweeper on request instead of each minute, at any time of its clock. */
export class Sweeps {
  private shiftMs = 0;

  constructor(
    private readonly cloud: LocalCloud,
    private readonly recorder: Recorder,
  ) {
    for (const name of this.inside.eventRules.rules.keys()) {
      cloud.eventRules.put(name, { periodMs: 2 ** 40, enabled: false });
    }
  }

  /** @param aheadMs How far the sweeper's clock is ahead in each turn: times at which something is due. */
  async run(aheadMs: readonly number[]): Promise<Swept> {
    let runs = 0;
    for (const shiftMs of aheadMs) {
      await this.shiftClock(shiftMs);
      runs += await this.untilNothingIsDue();
    }
    await this.shiftClock(0);
    return { runs };
  }

  private async untilNothingIsDue(): Promise<number> {
    for (let runs = 1; runs <= MOST_RUNS; runs++) {
      const before = this.recorder.sweeperWrites;
      await this.invokeTargets();
      if (this.recorder.sweeperWrites === before) return runs;
    }
    throw new Error(`the sweeper still writes after ${MOST_RUNS} runs`);
  }

  private get inside(): Inside {
    return this.cloud as unknown as Inside;
  }

  private async invokeTargets(): Promise<void> {
    const { eventRules } = this.inside;
    for (const [name, { targets }] of eventRules.rules) {
      for (const target of targets.values()) {
        if (functionIn(target.functionArn) === "expire") await eventRules.invoke(name, target);
      }
    }
    await this.recorder.untilSweepersEnd();
  }

  private async shiftClock(shiftMs: number): Promise<void> {
    if (shiftMs === this.shiftMs) return;
    this.shiftMs = shiftMs;
    for (const [name, { configuration }] of this.inside.lambda.functions) {
      if (functionIn(name) !== "expire") continue;
      const own = Object.entries(configuration.variables).filter(([key]) => !(key in SHIFT));
      const shifted = shiftMs > 0 ? { ...SHIFT, CLOCK_SHIFT_MS: String(shiftMs) } : {};
      await this.cloud.lambda.putFunction({
        ...configuration,
        variables: { ...Object.fromEntries(own), ...shifted },
      });
    }
  }
}
