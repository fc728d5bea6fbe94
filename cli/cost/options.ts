import { type Command, Option } from "commander";
import { numberIn } from "../numberIn";
import type { Monitoring } from "./estimate";
import type { Workload } from "./workload";

/** What the command line says of the month. */
export type CostOptions = Omit<Workload, "backoff"> &
  Monitoring & { backoffMinSeconds: number; backoffMaxSeconds: number };

type Range = [min: number, max: number, whole?: "whole"];

/** Those that mean nothing where messages are delivered by retry. */
const replayOnly = ["ordering", "receipts", "historyRetentionSeconds", "messagesPerAck", "messagesPerReturn"] as const;

export function addCostOptions(command: Command): void {
  const add = (flags: string, description: string, range: Range, value?: number) => {
    const option = new Option(flags, description).argParser(numberIn(...range));
    command.addOption(value === undefined ? option.makeOptionMandatory() : option.default(value));
  };
  const choose = (flags: string, description: string, [first, ...others]: [string, string]) =>
    command.addOption(new Option(flags, description).choices([first, ...others]).default(first));
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
  choose("--delivery <mode>", "the relay's delivery", ["retry", "replay"]);
  choose("--ordering <order>", "the relay's ordering; with replay", ["standard", "strict"]);
  command.option("--receipts", "the relay's receipts; with replay", false);
  add(
    "--history-retention-seconds <n>",
    "the relay's historyRetentionSeconds; with replay",
    [300, 1_209_600, "whole"],
    86_400,
  );
  add(
    "--messages-per-ack <n>",
    "messages that one acknowledgement covers, on average: a quiet client's covers one; with replay",
    [1, 1e6],
    1,
  );
  add(
    "--messages-per-return <n>",
    "messages that wait for a user who comes back, on average; with replay",
    [1, 1e6],
    1,
  );
  add("--metrics <n>", "custom metrics, each reason counts", [0, 1_000, "whole"], 20);
  add("--alarms <n>", "alarms, each metric that one looks at counts", [0, 1_000, "whole"], 16);
  add("--dashboards <n>", "dashboards", [0, 100, "whole"], 1);
}

/** What was given, without what does not apply. @throws where something was given that means nothing. */
export function readCostOptions(command: Command): CostOptions {
  const options = command.opts<CostOptions>();
  if (options.delivery === "replay") return options;
  for (const key of replayOnly) {
    if (command.getOptionValueSource(key) === "default") continue;
    const flag = command.options.find((option) => option.attributeName() === key)?.long ?? key;
    throw new Error(
      `${flag}: got ${JSON.stringify(options[key])}; allowed: with --delivery replay alone. Leave it out`,
    );
  }
  return options;
}

/** As the month is shown: without what means nothing in its mode. */
export function shownOptions(options: CostOptions): Partial<CostOptions> {
  if (options.delivery === "replay") return options;
  return Object.fromEntries(
    Object.entries(options).filter(([key]) => !(replayOnly as readonly string[]).includes(key)),
  );
}
