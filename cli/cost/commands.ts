import type { Command } from "commander";
import type { Cli } from "../cli";
import { counted, table } from "../output";
import { type Alternative, alternativesOf } from "./alternatives";
import { barChart } from "./chart";
import { lineItems, usageOf } from "./estimate";
import { type LineItem, totalUsd } from "./lineItem";
import { addCostOptions, readCostOptions, shownOptions, workloadOf } from "./options";
import { PRICES } from "./prices";
import { awayMessageOf } from "./workload";

const notIncluded =
  "Not included: free tiers, data transfer, tax, storage (session table, backups, kept logs), KMS, the gateway's logs, a custom domain's DNS, the backend itself, retries for some of a session's connections (a write and a read unit each).";

/** `cost` */
export function addCostCommand(program: Command, cli: Cli): void {
  const command = program.command("cost").description(`estimates the bill of a month, with prices of ${PRICES.region}`);
  addCostOptions(command);
  command.action(() => {
    const options = readCostOptions(command);
    const workload = workloadOf(options);
    const items = lineItems(usageOf(workload), options, options, PRICES);
    const away = awayMessageOf(workload);
    const { region, asOf } = PRICES;
    const total = totalUsd(items);
    const alternatives = alternativesOf(workload, PRICES);
    cli.print(
      {
        region,
        pricesAsOf: asOf,
        currency: "USD",
        workload: shownOptions(options),
        awayMessage: away,
        items,
        totalUsd: total,
        alternatives,
        notIncluded,
      },
      () =>
        [
          itemTable(items, total),
          "",
          ...(options.chart ? [chart(items, total, alternatives, cli), ""] : []),
          comparison(total, alternatives),
          `Prices of ${region}, looked up on ${asOf}. A message to a user who is away is ${away.becomes} after ` +
            `${counted(away.attempts, "attempt")}.`,
          notIncluded,
        ].join("\n"),
      command.optsWithGlobals<{ json: boolean }>().json,
    );
  });
}

function comparison(total: number, alternatives: readonly Alternative[]): string {
  const others = alternatives.map(({ service, usd, note }) => `${service} ${usd.toFixed(2)} USD (${note})`);
  return `The same connections and messages with other services, besides this relay's ${total.toFixed(2)} USD: ${others.join("; ")}.`;
}

/** Bars of the items that cost something, the most expensive first, and then of the totals. */
function chart(
  items: readonly LineItem[],
  total: number,
  alternatives: readonly Alternative[],
  { terminal }: Cli,
): string {
  const { columns = 80, hasColors = false } = terminal;
  const bars = items
    .filter(({ usd }) => usd >= 0.005)
    .sort((a, b) => b.usd - a.usd)
    .map(({ service, what, usd }) => ({ label: `${service}: ${what}`, value: usd }));
  const totals = [
    { label: "this relay", value: total },
    ...alternatives.map(({ service, usd }) => ({ label: service, value: usd })),
  ];
  return [barChart(bars, columns, hasColors), "", barChart(totals, columns, hasColors)].join("\n");
}

function itemTable(items: readonly LineItem[], total: number): string {
  return table(
    ["service", "what", "count", "USD each", "USD", "how it is counted"],
    [
      ...items.map(({ service, what, count, price, per, usd, formula }) => [
        service,
        what,
        amount(count),
        per === 1 ? String(price) : `${price} a million`,
        usd.toFixed(2),
        formula,
      ]),
      ["total", "", "", "", total.toFixed(2), ""],
    ],
  );
}

function amount(count: number): string {
  return count.toLocaleString("en-US", { maximumFractionDigits: count < 100 ? 2 : 0 });
}
