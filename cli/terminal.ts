import { createInterface } from "node:readline/promises";

/** Where a command writes to and asks, and what ends it early. */
export interface Terminal {
  /** The command's result. */
  print(text: string): void;
  /** Beside the result. */
  note(text: string): void;
  /** Asks, and is told y or yes. @throws where nobody can be asked. */
  confirm(question: string): Promise<boolean>;
  /** Aborted by Ctrl-C: a command stops where it loses nothing. */
  readonly interrupted: AbortSignal;
}

/** The process's own. */
export function processTerminal(): Terminal {
  const controller = new AbortController();
  process.on("SIGINT", () => {
    // Asked twice, it ends at once; dead letters are then hidden until their time is up.
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("Interrupted: ending where nothing is lost. Again: at once.\n");
    controller.abort();
  });
  return {
    print: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    async confirm(question) {
      if (!process.stdin.isTTY || !process.stderr.isTTY) {
        throw new Error(`${question} There is no terminal to ask on: give --yes to go ahead`);
      }
      const prompt = createInterface({ input: process.stdin, output: process.stderr });
      // While it reads, the terminal sends no signal to the process.
      prompt.on("SIGINT", () => controller.abort());
      try {
        return /^y(es)?$/i.test(await prompt.question(`${question} [y/N] `, { signal: controller.signal }));
      } catch (error) {
        if (controller.signal.aborted) return false;
        throw error;
      } finally {
        prompt.close();
      }
    },
    interrupted: controller.signal,
  };
}
