import { type Command, Option } from "commander";
import { RelayBackend } from "../../backend";
import { MAX_BLOCK_SECONDS } from "../../handlers/operations/disconnectUser";
import { listUser } from "../../handlers/operations/listUser";
import { DynamoDbUserConnections } from "../../handlers/connections/userConnections";
import type { Cli } from "../cli";
import { dynamoDbClient, managementApiClient } from "../clients";
import { numberIn } from "../numberIn";
import { counted, table } from "../output";
import { addressOf, type RelayAddresses } from "../relayAddresses";
import { isoOf, listedOf, type ListedSession } from "./listedSession";

/** `sessions list|disconnect` */
export function addSessionCommands(program: Command, cli: Cli): void {
  const group = program.command("sessions").description("a user's connections in the session table");

  group
    .command("list")
    .description("lists a user's connections")
    .requiredOption("--user <code>", "the user's code, as in the token")
    .action(cli.action((options: { user: string }, addresses) => list(options, addresses, cli)));

  group
    .command("disconnect")
    .description("closes all connections of a user, and refuses the user's handshakes for a while")
    .requiredOption("--user <code>", "the user's code, as in the token")
    .addOption(
      new Option("--block-seconds <n>", "seconds for which handshakes are refused; 0: no block")
        .argParser(numberIn(0, MAX_BLOCK_SECONDS, "whole"))
        .default(3_600),
    )
    .option("--yes", "disconnects without a question", false)
    .action(cli.action((options: DisconnectOptions, addresses) => disconnect(options, addresses, cli)));
}

interface DisconnectOptions {
  user: string;
  blockSeconds: number;
  yes: boolean;
}

async function list({ user }: { user: string }, addresses: RelayAddresses, cli: Cli): Promise<number> {
  const tableName = addressOf(addresses, "tableName");
  const store = new DynamoDbUserConnections(dynamoDbClient(addresses), { tableName });
  const { sessions, blockedUntil } = listedOf(await listUser(store, user, cli.terminal.interrupted), new Date());
  cli.print({ user, sessions, blockedUntil }, () => sessionTable(sessions));
  cli.terminal.note(`${counted(sessions.length, "connection")}. Ended connections may be listed for a while.`);
  if (blockedUntil !== undefined) cli.terminal.note(`The user's handshakes are refused until ${blockedUntil}.`);
  return 0;
}

async function disconnect(options: DisconnectOptions, addresses: RelayAddresses, cli: Cli): Promise<number> {
  const { user, yes } = options;
  const { terminal } = cli;
  const { blockSeconds } = options;
  const backend = new RelayBackend({
    topicArn: addressOf(addresses, "topicArn"),
    tableName: addressOf(addresses, "tableName"),
    managementEndpoint: addressOf(addresses, "managementEndpoint"),
    clients: { dynamodb: dynamoDbClient(addresses), managementApi: managementApiClient(addresses) },
  });
  const block = blockSeconds === 0 ? "" : ` and refuse the user's handshakes for ${blockSeconds} s`;
  if (!yes && !(await terminal.confirm(`Close every connection of user ${JSON.stringify(user)}${block}?`))) {
    terminal.note("Nothing was closed.");
    return 1;
  }
  const done = await backend.disconnectUser(user, { blockSeconds, signal: terminal.interrupted });
  const { connectionsClosed, sessionsCleared } = done;
  const blockedUntil = done.blockedUntil === undefined ? undefined : isoOf(done.blockedUntil);
  cli.print({ user, connectionsClosed, sessionsCleared, blockedUntil }, () =>
    [
      `${counted(connectionsClosed, "connection")} closed, ${counted(sessionsCleared, "session")} cleared`,
      ...(blockedUntil === undefined ? [] : [`handshakes refused until ${blockedUntil}`]),
    ].join(", "),
  );
  return 0;
}

function sessionTable(sessions: readonly ListedSession[]): string {
  return table(
    ["state", "context", "contextId", "connected at", "expires at", "connection id"],
    sessions.map(({ state, context, contextId, connectedAt, expiresAt, tokenExpiresAt, connectionId }) => [
      state,
      context,
      contextId,
      connectedAt,
      tokenExpiresAt ?? expiresAt,
      connectionId,
    ]),
  );
}
