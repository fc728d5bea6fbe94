import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AttributeDefinition, CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { Issuer } from "../local/oidc/issuer";
import { Child } from "./childProcess";
import { type Deployed, deployedFunctions, lambdaVariables, type Mode } from "./deployed";
import type { ServerAnswer, ServerRequest } from "./servers";
import type { WorkerAnswer, WorkerRequest } from "./worker";

/** A deliver bundle in its own process, its tables (dynalite) in another, and a gateway in a third. */
export interface Delivery {
  run(request: WorkerRequest): Promise<WorkerAnswer>;
  /** Requests to tables and gateway since the last call, by operation. The gateway's process also serves SQS. */
  counts(): Promise<Record<string, number>>;
}

/** Where the tables are: dynalite, or a stub that answers each request after a fixed time. */
export type TableKind = "dynalite" | { stubAnswerMs: number };

export interface DeliveryOptions {
  /** The connections of each user, who has one session. @default 1 */
  connectionsPerUser?: number;
  /** How many of them are of raw clients, in replay mode. @default 0 */
  rawPerUser?: number;
  /** After which the gateway answers. @default 0 */
  gatewayAnswerMs?: number;
}

/**
 * @param users How many have a connection: `connection-0` and so on. They are connected by the mode's own `connect`, so that their items are those of this commit.
 */
export async function withDelivery<T>(
  mode: Mode,
  tables: TableKind,
  users: number,
  measure: (delivery: Delivery) => Promise<T>,
  { connectionsPerUser = 1, rawPerUser = 0, gatewayAnswerMs = 0 }: DeliveryOptions = {},
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "relay-bench-"));
  const table = Child.start<ServerRequest, ServerAnswer>("servers.ts");
  const gateway = Child.start<ServerRequest, ServerAnswer>("servers.ts");
  const issuer = await Issuer.start({ audience: "relay", userClaim: "sub", log: () => undefined });
  const workers: Child<WorkerRequest, WorkerAnswer>[] = [];
  try {
    const [{ endpoint: tableEndpoint }, { endpoint: gatewayEndpoint }] = await Promise.all([
      table.ask(tables === "dynalite" ? { start: "table" } : { start: "stub", answerMs: tables.stubAnswerMs }),
      gateway.ask({ start: "gateway", answerMs: gatewayAnswerMs }),
    ]);
    const functions = await deployedFunctions(mode, {
      auth: { oidc: { issuer: issuer.issuer, audience: "relay" } },
      ...(connectionsPerUser > 1 && { connections: "all" as const }),
    });
    await createTables(tableEndpoint, functions.deliver.variables);
    const started = (name: string, { text, variables }: Deployed) => {
      const bundle = join(folder, `${name}.js`);
      writeFileSync(bundle, text);
      const worker = Child.start<WorkerRequest, WorkerAnswer>("worker.ts", {
        ...lambdaVariables,
        ...variables,
        BUNDLE: bundle,
        MANAGEMENT_ENDPOINT: `${gatewayEndpoint}/live`,
        AWS_ENDPOINT_URL_DYNAMODB: tableEndpoint,
        // Calls to other services are counted, too.
        AWS_ENDPOINT_URL: gatewayEndpoint,
        // SQS is called where the queue's URL is.
        FLUSH_QUEUE_URL: `${gatewayEndpoint}/123456789012/flush`,
        NODE_EXTRA_CA_CERTS: issuer.caFile,
      });
      workers.push(worker);
      return worker;
    };
    const connecting = started("connect", functions.connect);
    await connecting.ask({ run: "connect", users, connectionsPerUser, rawPerUser, mode, tokenUrl: issuer.tokenUrl });
    await connecting.stop();
    const run = started("deliver", functions.deliver);
    const counted = [table, gateway];
    const counts = async () => {
      const answers = await Promise.all(counted.map((server) => server.ask({ counts: true })));
      return Object.assign({}, ...answers.map((answer) => answer.counts)) as Record<string, number>;
    };
    await counts();
    return await measure({ run: (request) => run.ask(request), counts });
  } finally {
    await Promise.all([...workers, table, gateway].map((child) => child.stop()));
    await issuer.close();
    rmSync(folder, { recursive: true });
  }
}

async function createTables(endpoint: string, variables: Record<string, string>): Promise<void> {
  const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };
  const client = new DynamoDBClient({ endpoint, region: lambdaVariables.AWS_REGION, credentials });
  const { TABLE_NAME: tableName = "", HISTORY_TABLE_NAME: historyTableName } = variables;
  // Without their indexes, which only sweepers query.
  await createTable(client, tableName, ["caller_id", "context"]);
  if (historyTableName !== undefined) await createTable(client, historyTableName, ["session", "entry"]);
  client.destroy();
}

async function createTable(client: DynamoDBClient, tableName: string, keys: [hash: string, range: string]) {
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: keys.map((AttributeName): AttributeDefinition => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: keys[0], KeyType: "HASH" },
        { AttributeName: keys[1], KeyType: "RANGE" },
      ],
    }),
  );
}
