import { type Command, Option } from "commander";
import type { Cli } from "../cli";
import { numberIn } from "../numberIn";
import { counted, table } from "../output";
import { type LineItem, lineItems, totalUsd } from "./estimate";
import { PRICES } from "./prices";
import { awayMessageOf, usageOf } from "./usage";

interface CostOptions {
  messages: number;
  messageKb: number;
  connections: number;
  connectionMinutes: number;
  pingsPerMinute: number;
  awayShare: number;
  minutesAway: number;
  batchSize: number;
  maxAttempts: number;
  backoffMinSeconds: number;
  backoffMaxSeconds: number;
  metrics: number;
  alarms: number;
  dashboards: number;
}

const notIncluded =
  "Not included: free tiers, data transfer, tax, storage (table, kept logs), KMS, access logs, a custom domain's DNS, the backend itself.";

/** `cost` */
export function addCostCommand(program: Command, cli: Cli): void {
  const command = program.command("cost").description(`estimates a month's bill, with prices of ${PRICES.region}`);
  const add = (
    flags: string,
    description: string,
    range: [min: number, max: number, whole?: "whole"],
    value?: number,
  ) => {
    const option = new Option(flags, description).argParser(numberIn(...range));
    command.addOption(value === undefined ? option.makeOptionMandatory() : option.default(value));
  };
  add("--messages <n>", "messages published in a month", [0, 1e12]);
  add("--message-kb <n>", "KB of one message", [0, 128], 1);
  add("--connections <n>", "connections open at one time, on average", [0, 1e9], 0);
  add("--connection-minutes <n>", "minutes that a connection lasts, on average", [0.1, 120], 30);
  add("--pings-per-minute <n>", "heartbeats of one client", [0, 60], 0.2);
  add("--away-share <n>", "part of the messages whose user is away, 0 to 1", [0, 1], 0.1);
  add("--minutes-away <n>", "minutes until such a user is back, on average", [0, 20_160], 10);
  add(
    "--batch-size <n>",
    "messages that one invocation takes, on average: a quiet queue fills no batch",
    [1, 10_000],
    1,
  );
  add("--max-attempts <n>", "the relay's maxAttempts", [1, 995, "whole"], 66);
  add("--backoff-min-seconds <n>", "the relay's backoffMinSeconds", [1, 43_200, "whole"], 2);
  add("--backoff-max-seconds <n>", "the relay's backoffMaxSeconds", [1, 43_200, "whole"], 120);
  add("--metrics <n>", "custom metrics, each reason counts", [0, 1_000, "whole"], 20);
  add("--alarms <n>", "alarms, each metric that one looks at counts", [0, 1_000, "whole"], 15);
  add("--dashboards <n>", "dashboards", [0, 100, "whole"], 1);
  command.action(() => {
    const { json, ...options } = command.optsWithGlobals<CostOptions & { json: boolean }>();
    const backoff = { minSeconds: options.backoffMinSeconds, maxSeconds: options.backoffMaxSeconds };
    const workload = { ...options, backoff };
    const items = lineItems(usageOf(workload), options, PRICES);
    const away = awayMessageOf(workload);
    const { region, asOf } = PRICES;
    const total = totalUsd(items);
    cli.print(
      {
        region,
        pricesAsOf: asOf,
        currency: "USD",
        workload: options,
        awayMessage: away,
        items,
        totalUsd: total,
        notIncluded,
      },
      () =>
        [
          itemTable(items, total),
          "",
          `Prices of ${region}, looked up on ${asOf}. A message to a user who is away is ${away.becomes} after ` +
            `${counted(away.attempts, "attempt")}.`,
          notIncluded,
        ].join("\n"),
      json,
    );
  });
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
