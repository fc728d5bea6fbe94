import type { Command } from "commander";
import { DynamoDbHistory } from "../../handlers/history/dynamoDbHistory";
import { HISTORY_DUE_INDEX } from "../../handlers/history/historyItems";
import type { Cli } from "../cli";
import { dynamoDbClient, sqsClient } from "../clients";
import { SqsRetryQueue } from "../deadLetters/deadLetterQueue";
import { counted, table } from "../output";
import { addressOf, localAddressOf, type RelayAddresses } from "../relayAddresses";
import { type Resent, resend } from "./resend";

interface ResendCommandOptions {
  table?: string;
  dryRun: boolean;
}

/** `history resend` */
export function addHistoryCommands(program: Command, cli: Cli): void {
  program
    .command("history")
    .description("the stored messages of a relay in replay mode")
    .command("resend")
    .description(
      "after a switch to retry mode, sends the messages that no client has acknowledged to the relay's queue",
    )
    .option("--table <name>", "the history table (default: the relay's historyTableName)")
    .option("--dry-run", "lists the messages, and sends none; also for a relay in replay mode", false)
    .action(cli.action((options: ResendCommandOptions, addresses) => resendMessages(options, addresses, cli)));
}

async function resendMessages(options: ResendCommandOptions, addresses: RelayAddresses, cli: Cli): Promise<number> {
  const { dryRun } = options;
  const { terminal } = cli;
  if (!dryRun && addresses.delivery === "replay") {
    throw new Error(
      'delivery: got "replay", whose deliver drops these messages as copies of the stored ones; allowed: "retry". ' +
        "Fix: switch the stack first (docs/changing-a-stack.md), or add --dry-run",
    );
  }
  const history = new DynamoDbHistory(dynamoDbClient(addresses), {
    tableName: tableNameOf(options, addresses),
    dueIndexName: HISTORY_DUE_INDEX,
    // Only new items need it.
    retentionMs: 0,
  });
  const retryQueue = new SqsRetryQueue(sqsClient(addresses), addressOf(addresses, "queueUrl"));
  const now = () => new Date();
  const messages = await resend(history, retryQueue, { dryRun, now, signal: terminal.interrupted });
  cli.print({ dryRun, messages }, () => outcomeTable(messages));
  const done = messages.filter(({ outcome }) => outcome === "resent" || outcome === "would-be-resent");
  terminal.note(
    `${counted(done.length, "message")} ${dryRun ? "would be resent." : "resent, at least once each: a client may receive one twice."}`,
  );
  return done.length === messages.length && !terminal.interrupted.aborted ? 0 : 1;
}

function tableNameOf({ table: name }: ResendCommandOptions, addresses: RelayAddresses): string {
  const tableName = name ?? localAddressOf(addresses, "historyTableName");
  if (tableName !== undefined) return tableName;
  throw new Error(
    "--table: got none, and the addresses have no historyTableName, as those of a relay in retry mode; allowed: the name of a " +
      "history table. Fix: pass the historyTableName that the stack had before the switch",
  );
}

function outcomeTable(messages: readonly Resent[]): string {
  return table(
    ["outcome", "user", "context", "contextId", "message id", "stored at", "expires at", "bytes", "notes"],
    messages.map(
      ({ outcome, user = "", context = "", contextId = "", messageId, storedAt, expiresAt, bytes, notes }) => [
        outcome,
        user,
        context,
        contextId,
        messageId,
        storedAt,
        expiresAt,
        String(bytes),
        notes.join("; "),
      ],
    ),
  );
}
