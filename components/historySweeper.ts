import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { INDEX_SHARDS } from "../handlers/connections/connectionItems";
import type { HistorySweepEvent } from "../handlers/sweepers/historySweeper";
import { type EveryMinute, everyMinute, withinItsMinute } from "./everyMinute";
import { type FunctionSettings, type FunctionSpec, relayFunction } from "./functions/relayFunction";
import type { CallbackFunction } from "./lambda/callbackFunction";
import { SWEEPER_TIMEOUT_SECONDS } from "./sweeper";

/** A rule takes five targets. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const SHARDS_PER_RULE = INDEX_SHARDS.length / 2;

/** The history sweeper: a function, and the two rules that call it every minute, once for each shard of the history's index. */
export class HistorySweeper extends pulumi.ComponentResource {
  readonly callbackFunction: CallbackFunction;
  /** What Lambda does with a run that is late or fails. */
  readonly invokeConfig: aws.lambda.FunctionEventInvokeConfig;
  readonly schedules: readonly EveryMinute[];

  constructor(
    name: string,
    spec: Omit<FunctionSpec, "timeoutSeconds">,
    settings: FunctionSettings,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("websocket-relay:index:HistorySweeper", `${name}-history-sweeper`, {}, opts);
    const child = { parent: this };

    this.callbackFunction = relayFunction(
      `${name}-expire`,
      { ...spec, timeoutSeconds: SWEEPER_TIMEOUT_SECONDS },
      settings,
      child,
    );
    const { function: sweeper } = this.callbackFunction;
    this.invokeConfig = withinItsMinute(`${name}-expire`, sweeper, child);
    const inputs = INDEX_SHARDS.map((shard) => [
      `${name}-expire-${shard}-target`,
      JSON.stringify({ shard: Number(shard) } satisfies HistorySweepEvent),
    ]);
    this.schedules = [inputs.slice(0, SHARDS_PER_RULE), inputs.slice(SHARDS_PER_RULE)].map((half, index) =>
      everyMinute(
        `${name}-expire-${index + 1}`,
        sweeper,
        Object.fromEntries(half) as Record<string, string>,
        settings.tags,
        child,
      ),
    );

    this.registerOutputs({ functionArn: sweeper.arn });
  }
}
