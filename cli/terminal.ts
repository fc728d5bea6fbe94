import { createInterface } from "node:readline/promises";

/** Output, questions and interruption of a command. */
export interface Terminal {
  /** The command's result. */
  print(text: string): void;
  /** A note besides the result. */
  note(text: string): void;
  /** Asks a question. @returns whether the answer is y or yes. @throws if there is no terminal. */
  confirm(question: string): Promise<boolean>;
  /** Characters in a line. @default 80 */
  readonly columns?: number;
  /** Whether a result may have colors. @default false */
  readonly hasColors?: boolean;
  /** Aborted by Ctrl-C: a command then stops without losing a dead letter. */
  readonly interrupted: AbortSignal;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const controller = new AbortController();
  process.on("SIGINT", () => {
    // The second Ctrl-C ends the process at once; dead letters then stay hidden until their visibility timeout ends.
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("Interrupted: stopping without losing anything. Press Ctrl-C again to stop at once.\n");
    controller.abort();
  });
  return {
    print: (text) => void process.stdout.write(`${text}\n`),
    columns: process.stdout.columns,
    // https://no-color.org
    hasColors: process.stdout.isTTY && !process.env.NO_COLOR,
    note: (text) => void process.stderr.write(`${text}\n`),
    async confirm(question) {
      if (!process.stdin.isTTY || !process.stderr.isTTY) {
        const stream = process.stdin.isTTY ? "stderr" : "stdin";
        throw new Error(`${question} ${stream} is not a terminal, so the question cannot be answered. Fix: add --yes`);
      }
      const prompt = createInterface({ input: process.stdin, output: process.stderr });
      // While the prompt reads, the terminal sends no signal to the process.
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
