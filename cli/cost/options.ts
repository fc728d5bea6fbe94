import { type Command, Option } from "commander";
import { spec } from "../../components/args/spec";
import { MAX_SESSIONS } from "../../handlers/deliver/withScopes";
import { MAX_LIVE_CONNECTIONS } from "../../handlers/sessions/sessionRow";
import { numberIn } from "../numberIn";
import { HEARTBEAT_SECONDS, MESSAGES_PER_CONNECTION } from "./assumed";
import type { Monitoring } from "./estimate";
import { openedOf, sessionsPerMessageOf, type Workload } from "./workload";

/** The options of the command line. */
export type CostOptions = Omit<Workload, "backoff"> &
  Monitoring & { backoffMinSeconds: number; backoffMaxSeconds: number; chart?: true };

/** Options whose defaults depend on others. */
type Derived = "alarms" | "heartbeatSeconds" | "usersPerBatch" | "messagesPerAck";

/** The options as they were given. */
export type GivenOptions = Omit<CostOptions, Derived> & Partial<Pick<CostOptions, Derived>>;

type Range = [min: number, max: number, whole?: "whole"];

type RelayNumber = "maxAttempts" | "backoffMinSeconds" | "backoffMaxSeconds" | "historyRetentionSeconds";
type RelayWord = "delivery" | "ordering";

/** Options without effect in retry mode. */
const replayOnly = [
  "ordering",
  "receipts",
  "waitingAfterSeconds",
  "rawClients",
  "rawShare",
  "connectionsPerDay",
  "historyRetentionSeconds",
  "usersPerBatch",
  "messagesPerAck",
  "messagesPerReturn",
  "messagesPerRetention",
  "httpReads",
] as const;

/** Each metric of an alarm costs as much as an alarm: these are the metrics of the relay's default alarms. */
export const ALARM_METRICS = { retry: 20, replay: 30 } as const;

/** And of those that `httpRead` adds. */
export const HTTP_READ_ALARM_METRICS = 2;

export function addCostOptions(command: Command): void {
  const { option, add } = adderTo(command);
  command.addOption(option("--messages <n>", "messages published in a month", [0, 1e12]).makeOptionMandatory());
  add("--connections <n>", "connections open at one time, on average", [0, 1e9], 0);
  add("--http-reads <n>", "requests to the HTTP API in a month; only in replay mode", [0, 1e12], 0);
  addTrafficOptions(command);
  command.option("--chart", "draws the items as bars, and the total next to what other services cost");
}

/** Functions that add options with a range to a command. */
export function adderTo(command: Command) {
  const option = (flags: string, description: string, range: Range) =>
    new Option(flags, description).argParser(numberIn(...range));
  return {
    option,
    add: (flags: string, description: string, range: Range, value: number) =>
      command.addOption(option(flags, description, range).default(value)),
    addDerived: (flags: string, description: string, range: Range, value: string) =>
      command.addOption(option(flags, `${description} (default: ${value})`, range)),
  };
}

/** Options of the traffic, the relay's settings and its monitoring, but for how much there is. */
export function addTrafficOptions(command: Command): void {
  const { add, addDerived } = adderTo(command);
  // Ranges and defaults of the relay's arguments come from the component.
  const describe = (key: RelayNumber | RelayWord | "receipts" | "waitingAfterSeconds" | "rawClients") =>
    `the relay's ${key}${"replayOnly" in spec[key] ? "; only in replay mode" : ""}`;
  const addRelayNumber = (flags: string, key: RelayNumber) => {
    const { min, max, default: value } = spec[key];
    add(flags, describe(key), [min, max, "whole"], value);
  };
  const addRelayWord = (flags: string, key: RelayWord) => {
    const { oneOf, default: value } = spec[key];
    command.addOption(new Option(flags, describe(key)).choices(oneOf).default(value));
  };
  add("--message-kb <n>", "KB of one message", [0, 128], 1);
  addDerived(
    "--heartbeat-seconds <n>",
    "seconds between two heartbeats of a client, or 0 for none: a connection without any frame ends after ten minutes",
    [0, 599],
    `the client library's, ${HEARTBEAT_SECONDS.retry}, or ${HEARTBEAT_SECONDS.replay} in replay mode`,
  );
  add("--connection-minutes <n>", "duration of a connection in minutes, on average", [0.1, 120], 30);
  add(
    "--connections-per-session <n>",
    "connections of a session that each get its messages, on average: more than 1 if the relay's connections is all",
    [1, MAX_LIVE_CONNECTIONS],
    1,
  );
  add("--scoped-share <n>", "share of the messages that have a scope, 0 to 1", [0, 1], 0);
  add("--sessions-per-scoped-message <n>", "sessions that such a message goes to, on average", [1, MAX_SESSIONS], 2);
  add("--away-share <n>", "share of the messages whose user is away, 0 to 1", [0, 1], 0.1);
  add("--minutes-away <n>", "minutes until such a user returns, on average", [0, 20_160], 10);
  const { min, max } = spec.batchSize;
  add("--batch-size <n>", "messages per invocation, on average: a quiet queue does not fill a batch", [min, max], 1);
  add("--messages-per-publish <n>", "messages per request to SNS, on average: publishBatch sends ten", [1, 10], 1);
  addRelayNumber("--max-attempts <n>", "maxAttempts");
  addRelayNumber("--backoff-min-seconds <n>", "backoffMinSeconds");
  addRelayNumber("--backoff-max-seconds <n>", "backoffMaxSeconds");
  addRelayWord("--delivery <mode>", "delivery");
  addRelayWord("--ordering <order>", "ordering");
  command.option("--receipts", describe("receipts"), spec.receipts.default);
  const { min: minWaiting, max: maxWaiting, otherwise } = spec.waitingAfterSeconds;
  const waitingRange: Range = [minWaiting, maxWaiting, "whole"];
  addDerived("--waiting-after-seconds <n>", describe("waitingAfterSeconds"), waitingRange, otherwise);
  command.option("--no-raw-clients", `without ${describe("rawClients")}`);
  add("--raw-share <n>", "share of the connections that are raw, 0 to 1; only in replay mode", [0, 1], 0);
  add(
    "--connections-per-day <n>",
    "connections that are opened for a session in a day, on average; only in replay mode",
    [1, 1_440],
    1,
  );
  addRelayNumber("--history-retention-seconds <n>", "historyRetentionSeconds");
  addDerived(
    "--users-per-batch <n>",
    "users among the messages of an invocation, on average; only in replay mode",
    [1, max],
    "each message is for another user",
  );
  addDerived(
    "--messages-per-ack <n>",
    "messages per acknowledgement, on average; only in replay mode",
    [1, 1e6],
    "those of a connection, or 1 with --receipts",
  );
  add(
    "--messages-per-return <n>",
    "messages that wait for a returning user, on average; only in replay mode",
    [1, 1e6],
    1,
  );
  add(
    "--messages-per-retention <n>",
    "messages of a user within the history's retention, on average; only in replay mode",
    [1, 1e9],
    MESSAGES_PER_CONNECTION,
  );
  add("--metrics <n>", "custom metrics; each reason counts as one", [0, 1_000, "whole"], 22);
  const { retry, replay } = ALARM_METRICS;
  addDerived(
    "--alarms <n>",
    "metrics of alarms",
    [0, 1_000, "whole"],
    `${retry}, or ${replay} in replay mode, and ${HTTP_READ_ALARM_METRICS} with HTTP reads`,
  );
  add("--dashboards <n>", "dashboards", [0, 100, "whole"], 1);
}

/** The given options, with the defaults of their mode. @throws if an option without effect was given. */
export function readCostOptions(command: Command): CostOptions {
  return withDefaults(command, command.opts<GivenOptions>());
}

/** The same for options that a command has completed itself. */
export function withDefaults(command: Command, given: GivenOptions): CostOptions {
  const options: CostOptions = {
    ...given,
    alarms: given.alarms ?? ALARM_METRICS[given.delivery] + (given.httpReads > 0 ? HTTP_READ_ALARM_METRICS : 0),
    heartbeatSeconds: given.heartbeatSeconds ?? HEARTBEAT_SECONDS[given.delivery],
    usersPerBatch: given.usersPerBatch ?? given.batchSize,
    messagesPerAck: given.messagesPerAck ?? messagesPerAckOf(given),
  };
  refuseContradictions(options);
  if (options.delivery === "replay") return options;
  for (const key of replayOnly) {
    if (["default", undefined].includes(command.getOptionValueSource(key))) continue;
    const flag = command.options.find((option) => option.attributeName() === key)?.long ?? key;
    throw new Error(
      `${flag}: got ${JSON.stringify(options[key])}; allowed: only with --delivery replay. Fix: leave it out`,
    );
  }
  return options;
}

function refuseContradictions({ rawClients, rawShare, receipts, waitingAfterSeconds }: CostOptions): void {
  if (!rawClients && rawShare > 0) {
    const allowed = "0 with --no-raw-clients";
    throw new Error(`--raw-share: got ${rawShare}; allowed: ${allowed}. Fix: leave one of the two out`);
  }
  if (waitingAfterSeconds !== undefined && !receipts) {
    const allowed = "only with --receipts";
    throw new Error(`--waiting-after-seconds: got ${waitingAfterSeconds}; allowed: ${allowed}. Fix: add --receipts`);
  }
}

/** The traffic and settings of the options. */
export function workloadOf(options: CostOptions): Workload {
  const { backoffMinSeconds: minSeconds, backoffMaxSeconds: maxSeconds } = options;
  return { ...options, backoff: { minSeconds, maxSeconds } };
}

/** Without receipts, the client acknowledges a connection's messages together, when it ends. */
function messagesPerAckOf(
  given: Pick<
    CostOptions,
    | "messages"
    | "awayShare"
    | "connections"
    | "connectionMinutes"
    | "connectionsPerSession"
    | "scopedShare"
    | "sessionsPerScopedMessage"
    | "receipts"
  >,
) {
  if (given.receipts) return 1;
  const opened = openedOf(given);
  const live = given.messages * (1 - given.awayShare) * sessionsPerMessageOf(given) * given.connectionsPerSession;
  return opened > 0 ? Math.max(1, live / opened) : MESSAGES_PER_CONNECTION;
}

/** The options to print: without those that have no effect in the mode, or on the estimate. */
export function shownOptions(options: CostOptions): Partial<CostOptions> {
  const left: readonly string[] = options.delivery === "replay" ? ["chart"] : ["chart", ...replayOnly];
  return Object.fromEntries(Object.entries(options).filter(([key]) => !left.includes(key)));
}
