import type { Command } from "commander";
import type { Cli } from "../cli";
import { lineItems, usageOf } from "../cost/estimate";
import { totalUsd } from "../cost/lineItem";
import { shownOptions, workloadOf } from "../cost/options";
import { PRICES } from "../cost/prices";
import { listing, table } from "../output";
import { type Ceiling, ceilingsOf } from "./ceilings";
import { type Load, loadOf } from "./load";
import { addCapacityOptions, readCapacityOptions } from "./options";
import { increaseCommand, type QuotaNeed, quotaNeedsOf } from "./quotaNeeds";
import { type Setting, settingsOf } from "./settings";

/** `capacity` */
export function addCapacityCommand(program: Command, cli: Cli): void {
  const command = program
    .command("capacity")
    .description("says what to set for a fleet, which quotas to raise, and what it costs");
  addCapacityOptions(command);
  command.action(() => {
    const { region, fleet, traffic } = readCapacityOptions(command);
    const workload = workloadOf(traffic);
    const load = loadOf(fleet, workload);
    const settings = settingsOf(load, region, workload.delivery);
    const quotas = quotaNeedsOf(load, region, workload.ordering);
    const ceilings = ceilingsOf(load, workload);
    const monthlyUsd = totalUsd(lineItems(usageOf(workload), traffic, traffic, PRICES));
    const increases = quotas
      .filter(({ raiseTo }) => raiseTo !== undefined)
      .map((need) => increaseCommand(need, region));
    const { region: pricesOf, asOf: pricesAsOf } = PRICES;
    const bill = { currency: "USD", monthlyUsd, pricesOf, pricesAsOf };
    cli.print(
      {
        ...{ region, fleet, workload: shownOptions(traffic), load, settings, config: configOf(settings) },
        ...{ quotas, increases, ceilings, ...bill },
      },
      () =>
        [
          "At the busiest moment: all clients reconnect, and messages come at their highest rate.",
          loadListing(load),
          "",
          settingTable(settings),
          "",
          ...configLines(settings),
          "",
          quotaTable(quotas),
          "",
          ...increaseLines(increases),
          "",
          ceilingTable(ceilings),
          ...remedies(ceilings),
          "",
          `About ${amount(monthlyUsd)} USD for ${amount(workload.messages)} messages a month and ` +
            `${amount(workload.connections)} connections on average, with prices of ${pricesOf}, looked up on ${pricesAsOf}. ` +
            "The command cost prints each item.",
        ].join("\n"),
      command.optsWithGlobals<{ json: boolean }>().json,
    );
  });
}

/** The arguments that differ from their defaults. */
function configOf(settings: readonly Setting[]): Record<string, number> {
  const changed = settings.filter(({ value, byDefault }) => value !== byDefault);
  return Object.fromEntries(changed.map(({ key, value }) => [key, value]));
}

function loadListing(load: Load): string {
  const { concurrency, concurrentExecutions, waitingMessages, ...perSecond } = load;
  const names: Record<keyof typeof perSecond, string> = {
    heartbeats: "heartbeats",
    handshakes: "handshakes",
    disconnects: "ends of connections",
    resumes: "resumes",
    acknowledgements: "acknowledgements",
    posts: "posts to connections",
    requests: "requests to API Gateway, all of the above",
    publishedMessages: "messages published, receipts included",
    sessionWriteUnits: "write units of the session table",
    sessionReadUnits: "read units of the session table",
    historyWriteUnits: "write units of the history table",
    historyReadUnits: "read units of the history table",
  };
  const functions = Object.entries(concurrency)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${amount(Math.ceil(count))}`);
  return listing([
    ...Object.entries(names)
      .map(([key, name]) => [name, load[key as keyof typeof perSecond]] as const)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => [name, `${amount(count)} per second`] as const),
    ["messages that wait in the retry queue", amount(waitingMessages)],
    ["executions of functions", `${amount(Math.ceil(concurrentExecutions))} at one time (${functions.join(", ")})`],
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

function configLines(settings: readonly Setting[]): string[] {
  const config = Object.entries(configOf(settings));
  if (config.length === 0) return ["The default of every argument is enough."];
  return ["Set:", ...config.map(([key, value]) => `pulumi config set ${key} ${value}`)];
}

function quotaTable(quotas: readonly QuotaNeed[]): string {
  return table(
    ["quota", "code", "default", "load", "needed"],
    quotas.map(({ name, unit, quotaCode, byDefault, load, raiseTo }) => [
      `${name}, ${unit}`,
      quotaCode,
      amount(byDefault),
      amount(load),
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
  return ["Ask for, besides what else the account uses:", ...increases];
}

function ceilingTable(ceilings: readonly Ceiling[]): string {
  return table(
    ["limit that no quota raises", "limit", "load"],
    ceilings.map(({ what, unit, limit, load }) => [
      `${what}, ${unit}`,
      amount(limit),
      load === undefined ? "by session" : amount(load),
    ]),
  );
}

function remedies(ceilings: readonly Ceiling[]): string[] {
  return ceilings
    .filter(({ load = 0, limit }) => load > limit)
    .map(({ what, remedy }) => `Over the limit: ${what}. Fix: ${remedy}.`);
}

function amount(count: number): string {
  return count.toLocaleString("en-US", { maximumFractionDigits: count < 10 ? 1 : 0 });
}
