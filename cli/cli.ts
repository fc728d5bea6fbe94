import type { Command } from "commander";
import { type AddressOptions, type AddressSources, readAddresses, type RelayAddresses } from "./relayAddresses";
import type { Terminal } from "./terminal";

type GlobalOptions = AddressOptions & { json: boolean };

/** Shared by all commands: the terminal, the relay's addresses, and the two formats of a result. */
export class Cli {
  exitCode = 0;
  private json = false;

  constructor(
    readonly terminal: Terminal,
    private readonly sources: AddressSources,
  ) {}

  /** The action of a command that needs a relay; `run` returns the exit code. */
  action<Options>(
    run: (options: Options, addresses: RelayAddresses) => Promise<number>,
  ): (options: unknown, command: Command) => Promise<void> {
    return async (_options, command) => {
      const options = command.optsWithGlobals<Options & GlobalOptions>();
      this.json = options.json;
      this.exitCode = await run(options, await readAddresses(options, this.sources));
    };
  }

  /** Prints a result: in full as one line of JSON with `--json`, otherwise as text. */
  print(result: object, text: () => string, json = this.json): void {
    this.terminal.print(json ? JSON.stringify(result) : text());
  }
}
