import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AttributeDefinition, CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { sessionKey } from "../handlers/sessions/sessionKey";
import { SESSION_ATTRIBUTES as A } from "../handlers/sessions/sessionItems";
import { DynamoDbSessionStore } from "../handlers/sessions/sessionStore";
import { SUBPROTOCOLS } from "../protocol";
import { Child } from "./childProcess";
import { type Deployed, lambdaVariables } from "./deployed";
import type { ServerAnswer, ServerRequest } from "./servers";
import type { WorkerAnswer, WorkerRequest } from "./worker";

/** A deliver bundle in its own process, its tables (dynalite) in another, and a gateway in a third. */
export interface Delivery {
  run(request: WorkerRequest): Promise<WorkerAnswer>;
  /** Requests to tables and gateway since the last call, by operation. The gateway's process also serves SQS. */
  counts(): Promise<Record<string, number>>;
}

/** Number of users with a connection: `connection-0` and so on. */
export const USERS = 500;

/** @param deliver The function of either mode; in replay mode it gets a history table. */
export async function withDelivery<T>(deliver: Deployed, measure: (delivery: Delivery) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "relay-bench-"));
  const table = Child.start<ServerRequest, ServerAnswer>("servers.ts");
  const gateway = Child.start<ServerRequest, ServerAnswer>("servers.ts");
  let worker: Child<WorkerRequest, WorkerAnswer> | undefined;
  try {
    const [{ endpoint: tableEndpoint }, { endpoint: gatewayEndpoint }] = await Promise.all([
      table.ask({ start: "table" }),
      gateway.ask({ start: "gateway" }),
    ]);
    await connectUsers(tableEndpoint, deliver.variables);

    const bundle = join(folder, "index.js");
    writeFileSync(bundle, deliver.text);
    worker = Child.start<WorkerRequest, WorkerAnswer>("worker.ts", {
      ...lambdaVariables,
      ...deliver.variables,
      BUNDLE: bundle,
      MANAGEMENT_ENDPOINT: `${gatewayEndpoint}/live`,
      AWS_ENDPOINT_URL_DYNAMODB: tableEndpoint,
      // Calls to other services are counted, too.
      AWS_ENDPOINT_URL: gatewayEndpoint,
    });
    const { run, counts } = { run: worker, counts: [table, gateway] };
    return await measure({
      run: (request) => run.ask(request),
      counts: async () => {
        const answers = await Promise.all(counts.map((server) => server.ask({ counts: true })));
        return Object.assign({}, ...answers.map((answer) => answer.counts)) as Record<string, number>;
      },
    });
  } finally {
    await Promise.all([worker?.stop(), table.stop(), gateway.stop()]);
    rmSync(folder, { recursive: true });
  }
}

async function connectUsers(endpoint: string, variables: Record<string, string>): Promise<void> {
  const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };
  const client = new DynamoDBClient({ endpoint, region: lambdaVariables.AWS_REGION, credentials });
  const { TABLE_NAME: tableName = "", HISTORY_TABLE_NAME: historyTableName } = variables;
  await createTable(client, tableName, [A.callerId, A.context]);
  // Without its index, which only the sweeper queries.
  if (historyTableName !== undefined) await createTable(client, historyTableName, ["session", "entry"]);
  const sessions = new DynamoDbSessionStore(client, { tableName });
  const connectedAt = Date.now();
  for (let user = 0; user < USERS; user++) {
    const key = sessionKey(String(user), "chat", "7");
    if (key.reason !== undefined) throw new Error(key.reason);
    await sessions.save({
      ...key.value,
      connectionId: `connection-${user}`,
      connectedAt,
      expirationDate: Math.floor(connectedAt / 1000) + 10_800,
      ...(historyTableName !== undefined && { subprotocol: SUBPROTOCOLS.v1 }),
    });
  }
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
