import { type Command, Option } from "commander";
import type { Cli } from "../cli";
import { sqsClient } from "../clients";
import { counted } from "../output";
import { addressOf, type RelayAddresses } from "../relayAddresses";
import { find } from "./find";
import { summaryOf } from "./deadLetter";
import { inWords, type DeadLetterFilter } from "./deadLetterFilter";
import { SqsDeadLetterQueue, SqsRetryQueue } from "./deadLetterQueue";
import { purge } from "./purge";
import { redrive } from "./redrive";
import { inFull, deadLetterTable, deadLetterText, noteScan, outcomeTable } from "./report";

interface DeadLetterOptions extends DeadLetterFilter {
  queue: keyof typeof queueKeys;
}

/** The queues by their option value, with the keys of their addresses. */
const queueKeys = { "dead-letter": "deadLetterQueueUrl", subscription: "subscriptionDeadLetterQueueUrl" } as const;

/** `dead-letters list|show|redrive|purge` */
export function addDeadLetterCommands(program: Command, cli: Cli): void {
  const { terminal } = cli;
  const group = program
    .command("dead-letters")
    .description(
      "messages that could not be delivered. Reading dead letters hides them from other consumers until the command ends",
    );

  command(group, "list", "lists dead letters, without their payloads").action(
    cli.action(async (options: DeadLetterOptions, addresses) => {
      const found = await find(queueOf(addresses, options), summaryOf, { filter: filterOf(options), ...signalOf(cli) });
      cli.print({ queue: options.queue, ...found }, () => deadLetterTable(found.letters));
      noteScan(found.scan, found.letters.length, named(addresses, options), terminal);
      return exitCodeOf(found.scan);
    }),
  );

  command(group, "show", "shows dead letters in full")
    .option("--payload", "with the payload, which may be confidential", false)
    .action(
      cli.action(async (options: DeadLetterOptions & { payload: boolean }, addresses) => {
        const pick = (deadLetter: Parameters<typeof inFull>[0]) => inFull(deadLetter, options.payload);
        const found = await find(queueOf(addresses, options), pick, { filter: filterOf(options), ...signalOf(cli) });
        cli.print({ queue: options.queue, ...found }, () => found.letters.map(deadLetterText).join("\n\n"));
        noteScan(found.scan, found.letters.length, named(addresses, options), terminal);
        return exitCodeOf(found.scan);
      }),
    );

  command(group, "redrive", "sends dead letters to the relay's queue again, at least once, and then deletes them")
    .option("--dry-run", "lists the dead letters that would be redriven, and sends none", false)
    .action(
      cli.action(async (options: DeadLetterOptions & { dryRun: boolean }, addresses) => {
        const retryQueue = new SqsRetryQueue(sqsClient(addresses), addressOf(addresses, "queueUrl"));
        const now = () => new Date();
        const done = await redrive(queueOf(addresses, options), retryQueue, {
          filter: filterOf(options),
          dryRun: options.dryRun,
          now,
          ...signalOf(cli),
        });
        cli.print({ queue: options.queue, dryRun: options.dryRun, ...done }, () => outcomeTable(done.letters));
        noteScan(done.scan, done.letters.length, named(addresses, options), terminal);
        const [outcome, note] = options.dryRun
          ? ["would-be-redriven", "would be redriven."]
          : ["redriven", "redriven, at least once each: a client may receive one twice."];
        const deadLetters = done.letters.filter((deadLetter) => deadLetter.outcome === outcome).length;
        terminal.note(`${counted(deadLetters, "dead letter")} ${note}`);
        return exitCodeOf(done.scan, done.letters);
      }),
    );

  command(group, "purge", "deletes dead letters for good")
    .option("--all", "deletes every dead letter if there is no filter", false)
    .option("--dry-run", "lists the dead letters that would be deleted, and deletes none", false)
    .option("--yes", "deletes without a question", false)
    .action(cli.action((options: PurgeOptions, addresses) => purgeAfterQuestion(options, addresses, cli)));
}

type PurgeOptions = DeadLetterOptions & { all: boolean; dryRun: boolean; yes: boolean };

async function purgeAfterQuestion(options: PurgeOptions, addresses: RelayAddresses, cli: Cli): Promise<number> {
  const { terminal } = cli;
  const filter = filterOf(options);
  if (Object.keys(filter).length === 0 && !options.all) {
    throw new Error(
      "purge: got no filter; allowed: at least one filter, or --all. Fix: add --user, --context, --context-id, --reason or --message-id",
    );
  }
  const queue = queueOf(addresses, options);
  let ids: Set<string> | undefined;
  if (options.dryRun || !options.yes) {
    const found = await find(queue, summaryOf, { filter, ...signalOf(cli) });
    if (options.dryRun)
      cli.print({ queue: options.queue, dryRun: true, ...found }, () => deadLetterTable(found.letters));
    noteScan(found.scan, found.letters.length, named(addresses, options), terminal);
    const exitCode = exitCodeOf(found.scan);
    if (options.dryRun || found.letters.length === 0 || exitCode !== 0) return exitCode;
    const question = `Delete ${inWords(filter)} in the ${options.queue} queue, about ${found.letters.length}, for good?`;
    if (!(await terminal.confirm(question))) {
      terminal.note("Nothing was deleted.");
      return 1;
    }
    // Delete only the dead letters that the question was about.
    ids = new Set(found.letters.map(({ id }) => id));
  }
  const done = await purge(queue, { filter, ids, ...signalOf(cli) });
  cli.print({ queue: options.queue, ...done }, () => outcomeTable(done.letters));
  noteScan(done.scan, done.letters.length, named(addresses, options), terminal);
  const notFound = (ids?.size ?? 0) - done.letters.length;
  if (notFound > 0) terminal.note(`Not found again, so not deleted: ${counted(notFound, "dead letter")}.`);
  return exitCodeOf(done.scan, done.letters);
}

function command(group: Command, name: string, description: string): Command {
  const queue = new Option(
    "--queue <name>",
    "the queue: the relay's dead letters, or those of the topic's subscription",
  );
  return group
    .command(name)
    .description(description)
    .option("--user <code>", "only of this user")
    .option("--context <context>", "only of this context")
    .option("--context-id <id>", "only of this contextId")
    .option("--reason <reason>", "only with this reason, with any details; none: only without a reason")
    .option("--message-id <id>", "only with this ID: the publisher's, the one in logs, or the dead letter's own")
    .addOption(queue.choices(Object.keys(queueKeys)).default("dead-letter"));
}

function queueOf(addresses: RelayAddresses, { queue }: DeadLetterOptions): SqsDeadLetterQueue {
  return new SqsDeadLetterQueue(sqsClient(addresses), addressOf(addresses, queueKeys[queue]));
}

function named(addresses: RelayAddresses, options: DeadLetterOptions): { name: string; isFifo: boolean } {
  return { name: options.queue, isFifo: queueOf(addresses, options).isFifo };
}

function filterOf({ user, context, contextId, reason, messageId }: DeadLetterFilter): DeadLetterFilter {
  const given = Object.entries({ user, context, contextId, reason, messageId });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function signalOf({ terminal }: Cli): { signal: AbortSignal } {
  return { signal: terminal.interrupted };
}

function exitCodeOf(scan: { ended: string }, deadLetters: readonly { outcome: string }[] = []): number {
  if (scan.ended === "interrupted") return 130;
  if (scan.ended === "failed") return 1;
  return deadLetters.some(({ outcome }) => outcome === "failed" || outcome === "refused") ? 1 : 0;
}
