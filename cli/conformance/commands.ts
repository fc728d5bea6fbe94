import { type Command, InvalidArgumentError } from "commander";
import type { Cli } from "../cli";
import { numberIn } from "../numberIn";
import { printable } from "../output";
import type { Requirement } from "./requirement";
import { requirements } from "./requirements";
import { type Result, testClient } from "./suite";

interface ConformanceOptions {
  only?: Requirement[];
  jobs: number;
  timeLimit?: number;
  json: boolean;
}

/** `conformance -- COMMAND` */
export function addConformanceCommand(program: Command, cli: Cli): void {
  const command = program
    .command("conformance")
    .description(
      "tests which requirements of docs/protocol.md a client meets, against a scripted relay on this machine",
    )
    .argument("<command...>", "starts the client, as in: conformance -- node client.js")
    .option("--only <ids>", "only these requirements, separated by commas (default: all)", requirementsOf)
    .option("--jobs <n>", "number of scenarios at the same time", numberIn(1, 100, "whole"), 12)
    .option(
      "--time-limit <seconds>",
      "of each scenario (default: 30, up to 60 where the client waits)",
      numberIn(1, 3_600),
    );
  command.action(async (client: string[]) => {
    const { only = requirements, jobs, timeLimit, json } = command.optsWithGlobals<ConformanceOptions>();
    const { interrupted } = cli.terminal;
    const options = { command: client, jobs, timeLimitSeconds: timeLimit, signal: interrupted };
    let done = 0;
    const results = await testClient(only, options, ({ id, met }) => {
      done++;
      if (!json) cli.terminal.note(`${done}/${only.length} ${id} ${met ? "met" : "not met"}`);
    });
    const failed = results.filter(({ met, level }) => !met && level === "must");
    cli.print({ passed: failed.length === 0, results }, () => report(results), json);
    cli.exitCode = failed.length === 0 && !interrupted.aborted ? 0 : 1;
  });
}

function requirementsOf(text: string): Requirement[] {
  return text.split(",").map((given) => {
    const id = given.trim().toUpperCase();
    const found = requirements.find((requirement) => requirement.id === id);
    if (found) return found;
    throw new InvalidArgumentError(`Allowed: ${requirements.map((each) => each.id).join(", ")}.`);
  });
}

function report(results: readonly Result[]): string {
  const lines = results.flatMap(({ id, level, text, met, reason }) => [
    `${met ? "met    " : "NOT MET"}  ${id.padEnd(4)}  ${level.padEnd(6)}  ${text}`,
    ...(reason === undefined ? [] : reason.split("\n").map((line) => `         ${printable(line)}`)),
  ]);
  const count = (level: Requirement["level"]) => {
    const of = results.filter((result) => result.level === level);
    return `${of.filter(({ met }) => met).length} of ${of.length} that a client ${level} meet`;
  };
  return [...lines, "", `Met: ${count("must")}, ${count("should")}.`].join("\n");
}
