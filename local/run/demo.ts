import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { credentials, region } from "../account";
import { LocalRun } from "./localRun";
import { sequenceDiagram, sequenceLog } from "./sequenceDiagram";
import type { TraceEvent } from "../trace/traceEvent";

const user = "42";
const context = "chat";
const contextId = "7";
const stepTimeoutMs = 30_000;

/**
 * The connection-loss flow, from the first handshake to the delivered message, with a client process that is killed in
 * between. Every step is awaited: one that does not happen ends the demo with exit code 1.
 */
async function demo(): Promise<void> {
  const events: TraceEvent[] = [];
  const log: string[] = [];
  console.log("Starting the relay on this machine, from the program and the bundles that pulumi up deploys …");
  const run = await LocalRun.start({
    stack: "dev",
    log: (line) => log.push(line),
    onLateError: (error) => fail(error),
  });
  const { addresses, cloud } = run;
  const { trace } = cloud;
  const clients: ChildProcess[] = [];
  const endRecording = trace.subscribe((event) => events.push(event));
  const client = { region, credentials: { ...credentials } };
  const dynamodb = new DynamoDBClient({ ...client, endpoint: addresses.dynamodbEndpoint });
  const sns = new SNSClient({ ...client, endpoint: addresses.awsEndpoint });

  const step = async <T>(what: string, happens: Promise<T>): Promise<T> => {
    const timeout = setTimeout(() => fail(new Error(`this step did not happen: ${what}`)), stepTimeoutMs);
    const result = await happens;
    clearTimeout(timeout);
    console.log(`  ok  ${what}`);
    return result;
  };
  const seen = (from: string, to: string, label: RegExp) =>
    new Promise<void>((resolve) => {
      const end = trace.subscribe((event) => {
        if (event.from === from && event.to === to && label.test(event.label)) {
          end();
          resolve();
        }
      });
    });
  const fail = (error: Error): never => {
    console.error(`\n${error.message}\n\n${sequenceLog(events)}\n\n${log.join("\n")}`);
    clients.forEach((each) => each.kill("SIGKILL"));
    process.exit(1);
  };

  try {
    trace.record("User", "Client", `opens ${context} ${contextId}`);
    const token = await (await fetch(`${addresses.tokenUrl}?user=${user}`)).text();
    const url = `${addresses.websocketUrl}?context=${context}&contextId=${contextId}`;

    const first = startClient(url, token);
    clients.push(first.process);
    await step("the client opens a WebSocket for its context, and the session is saved", first.line("open"));

    // On AWS $disconnect is best effort: the session must not depend on it.
    cloud.gateways.loseDisconnects = true;
    const cut = seen("Gateway", "Lambda", /^\$disconnect .* is lost$/);
    trace.record("User", "Client", "kills it");
    first.process.kill("SIGKILL");
    await step("the client is killed without closing its connection, and its session remains", cut);

    const gone = seen("Gateway", "Lambda", /410/);
    const retry = seen("Lambda", "Publisher", /retry/);
    const message = `Your report is ready (${new Date().toISOString()})`;
    await sns.send(
      new PublishCommand({
        TopicArn: addresses.topicArn,
        Message: message,
        MessageAttributes: {
          user: { DataType: "String", StringValue: user },
          context: { DataType: "String", StringValue: context },
          contextId: { DataType: "String", StringValue: contextId },
        },
      }),
    );
    await step("the backend publishes, and the gateway answers that the connection is gone", gone);
    await step("the message stays in the retry queue, to be tried again later", retry);

    cloud.gateways.loseDisconnects = false;
    const second = startClient(url, token);
    clients.push(second.process);
    trace.record("User", "Client", "starts it again");
    await step(
      "the client reconnects with the same context, and the session holds the new connection",
      second.line("open"),
    );
    await step("the retry finds the new connection, and the message arrives", second.line(`message ${message}`));

    // The row is kept for the first connection, which may still be open as far as the relay knows.
    const cleared = seen("Lambda", "WSSessionDB", /^clear session: ok/);
    trace.record("User", "Client", "leaves");
    second.process.kill("SIGTERM");
    await step("the client closes its connection, and $disconnect clears its session", cleared);
    endRecording();
    const { Items = [] } = await dynamodb.send(
      new ScanCommand({ TableName: addresses.tableName, ConsistentRead: true }),
    );
    // What is known of the connection whose $disconnect was lost is left to the table's expiry: only a session's row has this.
    const left = Items.filter(({ connection_id: id }) => id !== undefined);
    if (left.length > 0) throw new Error(`${left.length} sessions are left`);
    console.log("  ok  no session is left");
  } catch (error) {
    fail(error as Error);
  }

  console.log(`\nWhat happened:\n\n${sequenceLog(events)}\n`);
  console.log(`As a diagram (paste it into https://mermaid.live):\n\n${sequenceDiagram(events)}\n`);
  dynamodb.destroy();
  sns.destroy();
  await run.close();
}

/** A client in a process of its own, and a way to wait for a line that it prints. */
function startClient(url: string, token: string) {
  const child = spawn(process.execPath, [join(__dirname, "demoClient.js"), url, token], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => lines.push(line));
  const line = async (expected: string) => {
    while (!lines.includes(expected)) {
      await once(reader, "line");
    }
  };
  return { process: child, line };
}

demo().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(`error: ${(error as Error).message}`);
    process.exit(1);
  },
);
