import { type Command, Option } from "commander";
import { spec } from "../../components/args/spec";
import { numberIn } from "../numberIn";
import type { Monitoring } from "./estimate";
import type { Workload } from "./workload";

/** What the command line says of the month. */
export type CostOptions = Omit<Workload, "backoff"> &
  Monitoring & { backoffMinSeconds: number; backoffMaxSeconds: number };

type Range = [min: number, max: number, whole?: "whole"];

type RelayNumber = "maxAttempts" | "backoffMinSeconds" | "backoffMaxSeconds" | "historyRetentionSeconds";
type RelayWord = "delivery" | "ordering";

/** Those that mean nothing where messages are delivered by retry. */
const replayOnly = ["ordering", "receipts", "historyRetentionSeconds", "messagesPerAck", "messagesPerReturn"] as const;

export function addCostOptions(command: Command): void {
  const add = (flags: string, description: string, range: Range, value?: number) => {
    const option = new Option(flags, description).argParser(numberIn(...range));
    command.addOption(value === undefined ? option.makeOptionMandatory() : option.default(value));
  };
  // Ranges and defaults of the relay's own arguments are the component's.
  const describe = (key: RelayNumber | RelayWord | "receipts") =>
    `the relay's ${key}${"replayOnly" in spec[key] ? "; in replay mode" : ""}`;
  const addRelayNumber = (flags: string, key: RelayNumber) => {
    const { min, max, default: value } = spec[key];
    add(flags, describe(key), [min, max, "whole"], value);
  };
  const addRelayWord = (flags: string, key: RelayWord) => {
    const { oneOf, default: value } = spec[key];
    command.addOption(new Option(flags, describe(key)).choices(oneOf).default(value));
  };
  add("--messages <n>", "messages published in a month", [0, 1e12]);
  add("--message-kb <n>", "KB of one message", [0, 128], 1);
  add("--connections <n>", "connections open at one time, on average", [0, 1e9], 0);
  add("--connection-minutes <n>", "minutes that a connection lasts, on average", [0.1, 120], 30);
  add("--pings-per-minute <n>", "heartbeats of one client", [0, 60], 0.2);
  add("--away-share <n>", "part of the messages whose user is away, 0 to 1", [0, 1], 0.1);
  add("--minutes-away <n>", "minutes until such a user is back, on average", [0, 20_160], 10);
  const { min, max } = spec.batchSize;
  add(
    "--batch-size <n>",
    "messages that one invocation takes, on average: a quiet queue fills no batch",
    [min, max],
    1,
  );
  addRelayNumber("--max-attempts <n>", "maxAttempts");
  addRelayNumber("--backoff-min-seconds <n>", "backoffMinSeconds");
  addRelayNumber("--backoff-max-seconds <n>", "backoffMaxSeconds");
  addRelayWord("--delivery <mode>", "delivery");
  addRelayWord("--ordering <order>", "ordering");
  command.option("--receipts", describe("receipts"), spec.receipts.default);
  addRelayNumber("--history-retention-seconds <n>", "historyRetentionSeconds");
  add(
    "--messages-per-ack <n>",
    "messages that one acknowledgement covers, on average: a quiet client's covers one; in replay mode",
    [1, 1e6],
    1,
  );
  add(
    "--messages-per-return <n>",
    "messages that wait for a user who comes back, on average; in replay mode",
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
