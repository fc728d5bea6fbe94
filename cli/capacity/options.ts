import { type Command, InvalidArgumentError } from "commander";
import { MINUTES_A_MONTH } from "../cost/assumed";
import { addTrafficOptions, adderTo, type CostOptions, type GivenOptions, withDefaults } from "../cost/options";
import { PRICES } from "../cost/prices";
import { LEAST_RECONNECT_SECONDS } from "./assumed";
import type { Fleet } from "./load";
import { NEW_CONNECTIONS_PER_SECOND } from "./quotas";

/** The options of the command line: the fleet at its busiest, and its traffic as `cost` takes it. */
export interface CapacityOptions {
  region: string;
  fleet: Fleet;
  traffic: CostOptions;
}

type Given = Omit<GivenOptions, "messages" | "connections" | "httpReads"> &
  Pick<Fleet, "clients" | "messagesPerSecond" | "httpReadsPerSecond"> &
  Partial<Fleet & Pick<GivenOptions, "messages" | "connections" | "httpReads">> & { region: string };

export function addCapacityOptions(command: Command): void {
  const { option, add, addDerived } = adderTo(command);
  const required = (flags: string, description: string, range: Parameters<typeof option>[2]) =>
    command.addOption(option(flags, description, range).makeOptionMandatory());
  required("--clients <n>", "clients that are connected at one time, at the most", [1, 1e9, "whole"]);
  required("--messages-per-second <n>", "messages published per second, at the most", [0, 1e6]);
  add(
    "--http-reads-per-second <n>",
    "requests to the HTTP API per second, at the most; only in replay mode",
    [0, 1e6],
    0,
  );
  addDerived(
    "--reconnect-seconds <n>",
    "seconds within which all clients are to be back after all of them lost their connections",
    [1, 86_400],
    `clients / ${NEW_CONNECTIONS_PER_SECOND}, as fast as an account's new connections allow; ${LEAST_RECONNECT_SECONDS} at least`,
  );
  command.option("--region <region>", "the region, for its quotas", regionOf, PRICES.region);
  addDerived(
    "--messages <n>",
    "messages published in a month, for the bill",
    [0, 1e12],
    "the most per second, all month",
  );
  addDerived("--connections <n>", "connections open at one time, on average, for the bill", [0, 1e9], "--clients");
  addDerived(
    "--http-reads <n>",
    "requests to the HTTP API in a month, for the bill; only in replay mode",
    [0, 1e12],
    "the most per second, all month",
  );
  addTrafficOptions(command);
}

/** The given options, with the defaults of their mode. @throws if an option without effect was given. */
export function readCapacityOptions(command: Command): CapacityOptions {
  const { clients, messagesPerSecond, reconnectSeconds, httpReadsPerSecond, region, ...given } = command.opts<Given>();
  const fleet = {
    clients,
    messagesPerSecond,
    httpReadsPerSecond,
    reconnectSeconds: reconnectSeconds ?? Math.max(LEAST_RECONNECT_SECONDS, clients / NEW_CONNECTIONS_PER_SECOND),
  };
  const messagesAtMost = messagesPerSecond * MINUTES_A_MONTH * 60;
  const httpReadsAtMost = httpReadsPerSecond * MINUTES_A_MONTH * 60;
  if (given.delivery !== "replay" && httpReadsPerSecond > 0) {
    throw new Error(
      `--http-reads-per-second: got ${httpReadsPerSecond}; allowed: only with --delivery replay. Fix: leave it out`,
    );
  }
  const traffic = withDefaults(command, {
    ...given,
    messages: given.messages ?? messagesAtMost,
    connections: given.connections ?? clients,
    httpReads: given.httpReads ?? httpReadsAtMost,
  });
  refuseOver("--messages", traffic.messages, messagesAtMost, "--messages-per-second in a month");
  refuseOver("--http-reads", traffic.httpReads, httpReadsAtMost, "--http-reads-per-second in a month");
  refuseOver("--connections", traffic.connections, clients, "--clients");
  return { region, fleet, traffic };
}

/** What the bill counts cannot be more than the busiest moment allows. */
function refuseOver(flag: string, value: number, most: number, what: string): void {
  if (value <= most) return;
  throw new Error(
    `${flag}: got ${value.toLocaleString("en-US")}; allowed: at most ${most.toLocaleString("en-US")}, as ${what}. ` +
      `Fix: lower it, or raise ${what.split(" ")[0]}`,
  );
}

function regionOf(text: string): string {
  if (/^[a-z]{2}(-[a-z]+)+-\d$/.test(text)) return text;
  throw new InvalidArgumentError("Allowed: the name of a region, such as eu-west-1.");
}
