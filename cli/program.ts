import { Command, CommanderError, Option } from "commander";
import { Cli } from "./cli";
import { addCapacityCommand } from "./capacity/commands";
import { addConformanceCommand } from "./conformance/commands";
import { addCostCommand } from "./cost/commands";
import { addDeadLetterCommands } from "./deadLetters/commands";
import { addHistoryCommands } from "./history/commands";
import { failureText } from "./failure";
import { printable } from "./output";
import type { AddressSources } from "./relayAddresses";
import { addSessionCommands } from "./sessions/commands";
import type { Terminal } from "./terminal";
import { packageVersion } from "./version";

/** Runs one command. @returns its exit code: 0, 1 if something was not done, 130 after Ctrl-C. */
export async function run(args: readonly string[], terminal: Terminal, sources: AddressSources): Promise<number> {
  const cli = new Cli(terminal, sources);
  const program = new Command("pulumi-websocket-relay")
    .version(packageVersion(), "--version", "prints the package's version")
    .description("Operates a relay that pulumi-websocket-relay has deployed, or that npm start runs")
    .addOption(
      new Option(
        "--addresses <file>",
        "JSON file with the relay's addresses, - for stdin (default: pulumi stack output)",
      ).conflicts("stack"),
    )
    .option("--stack <name>", "the stack whose outputs are the addresses (default: the selected one)")
    .option("--output <key>", "the output that holds the addresses (default: the only one with addresses)")
    .option("--json", "prints the result as one line of JSON", false)
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    })
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  addDeadLetterCommands(program, cli);
  addSessionCommands(program, cli);
  addHistoryCommands(program, cli);
  addCostCommand(program, cli);
  addCapacityCommand(program, cli);
  addConformanceCommand(program, cli);
  try {
    await program.parseAsync(args, { from: "user" });
    return terminal.interrupted.aborted && cli.exitCode !== 0 ? 130 : cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    terminal.note(`error: ${printable(failureText(error as Error), "\n")}`);
    return terminal.interrupted.aborted ? 130 : 1;
  }
}
