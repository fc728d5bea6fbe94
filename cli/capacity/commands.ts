import type { Command } from "commander";
import type { Cli } from "../cli";
import { shownOptions } from "../cost/options";
import { PRICES } from "../cost/prices";
import { listing, table } from "../output";
import type { Ceiling } from "./ceilings";
import type { Load } from "./load";
import { addCapacityOptions, readCapacityOptions } from "./options";
import { type Plan, planOf } from "./plan";
import type { QuotaNeed } from "./quotaNeeds";
import type { Setting } from "./settings";

/** `capacity` */
export function addCapacityCommand(program: Command, cli: Cli): void {
  const command = program
    .command("capacity")
    .description("says what to set for a fleet, which quotas to raise, and what it costs");
  addCapacityOptions(command);
  command.action(() => {
    const options = readCapacityOptions(command);
    const { region, fleet, traffic } = options;
    const plan = planOf(options);
    const { region: pricesOf, asOf: pricesAsOf } = PRICES;
    cli.print(
      { region, fleet, workload: shownOptions(traffic), ...plan, currency: "USD", pricesOf, pricesAsOf },
      () =>
        [
          "At the busiest moment: all clients reconnect, and messages come at their highest rate.",
          loadListing(plan.load),
          "",
          settingTable(plan.settings),
          "",
          ...configLines(plan.config),
          "",
          quotaTable(plan.quotas),
          "",
          ...increaseLines(plan.increases),
          "",
          ceilingTable(plan.ceilings),
          ...remedies(plan.ceilings),
          "",
          `About ${amount(plan.monthlyUsd)} USD for ${amount(traffic.messages)} messages a month and ` +
            `${amount(traffic.connections)} connections on average, with prices of ${pricesOf}, looked up on ` +
            `${pricesAsOf}. The command cost prints each item.`,
        ].join("\n"),
      command.optsWithGlobals<{ json: boolean }>().json,
    );
  });
}

type PerSecond = Exclude<keyof Load, "concurrency" | "concurrentExecutions" | "waitingMessages">;

function loadListing(load: Load): string {
  const { concurrency, concurrentExecutions, waitingMessages } = load;
  const names: Record<PerSecond, string> = {
    heartbeats: "heartbeats",
    handshakes: "handshakes",
    disconnects: "ends of connections",
    resumes: "resumes",
    acknowledgements: "acknowledgements",
    posts: "posts to connections",
    httpReads: "requests to the HTTP API",
    requests: "requests to API Gateway, all of the above",
    publishedMessages: "messages published, receipts included",
    sessionWriteUnits: "write units of the session table",
    sessionReadUnits: "read units of the session table",
    historyWriteUnits: "write units of the history table",
    historyReadUnits: "read units of the history table",
  };
  const functions = Object.entries(concurrency)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${atOneTime(count)}`);
  return listing([
    ...Object.entries(names)
      .map(([key, name]) => [name, load[key as PerSecond]] as const)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => [name, `${amount(count)} per second`] as const),
    ...(waitingMessages > 0 ? [["messages that wait in the retry queue", amount(waitingMessages)] as const] : []),
    ["executions of functions", `${atOneTime(concurrentExecutions)} at one time (${functions.join(", ")})`],
  ]);
}

function settingTable(settings: readonly Setting[]): string {
  return table(
    ["argument", "load", "default", "needed", "how it is counted"],
    settings.map(({ key, load, byDefault, value, formula }) => [
      key,
      amount(load),
      amount(byDefault),
      value === byDefault ? "the default" : amount(value),
      formula,
    ]),
  );
}

function configLines(config: Plan["config"]): string[] {
  const lines = Object.entries(config).map(([key, value]) => `pulumi config set ${key} ${value}`);
  return lines.length === 0 ? ["The default of every argument is enough."] : ["Set:", ...lines];
}

function quotaTable(quotas: readonly QuotaNeed[]): string {
  return table(
    ["quota", "code", "default", "load", "needed"],
    quotas.map(({ name, unit, quotaCode, byDefault, load, raiseTo }) => [
      `${name}, ${unit}`,
      quotaCode,
      amount(byDefault),
      unit === "at one time" ? atOneTime(load) : amount(load),
      raiseTo === undefined ? "the default" : amount(raiseTo),
    ]),
  );
}

function increaseLines(increases: readonly string[]): string[] {
  if (increases.length === 0) {
    return [
      "An account's default quotas are enough, if nothing else uses them. A new account has far less concurrency.",
    ];
  }
  return ["Request these quotas, in addition to what else the account uses:", ...increases];
}

function ceilingTable(ceilings: readonly Ceiling[]): string {
  return table(
    ["limit that no quota raises", "limit", "load"],
    ceilings.map(({ what, unit, limit, load }) => [
      `${what}, ${unit}`,
      amount(limit),
      load === undefined ? "by session" : unit === "at one time" ? atOneTime(load) : amount(load),
    ]),
  );
}

function remedies(ceilings: readonly Ceiling[]): string[] {
  return ceilings
    .filter(({ load = 0, limit }) => load > limit)
    .map(({ what, remedy }) => `Over the limit: ${what}. Fix: ${remedy}.`);
}

/** Executions and messages are whole. What only the arithmetic of floating point adds to them is left out. */
function atOneTime(count: number): string {
  return amount(Math.ceil(Number(count.toFixed(6))));
}

function amount(count: number): string {
  return count.toLocaleString("en-US", { maximumFractionDigits: count < 10 ? 1 : 0 });
}
