import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Addresses } from "./localRun";

const usage = `npm start -- [--stack dev] [--config KEY=VALUE]… [--port N] [--host ADDRESS] [--time-scale N] [--lose-disconnects]
             [--node PATH] [--program FOLDER] [--json]

  --stack NAME         the stack whose config is used: dev (default), prod, or any Pulumi.NAME.yaml
  -c, --config KEY=VALUE
                       another value of the stack's config for this run, as often as needed: -c delivery=replay
  --port N             port of the WebSocket API (default: any free one)
  --host ADDRESS       an address of this machine by which other devices reach the WebSocket API (default: none do)
  --time-scale N       run the clocks of gateway and queues N times as fast (default: 1)
  --lose-disconnects   the gateway delivers no $disconnect, as may happen on AWS
  --node PATH          the Node that runs the functions (default: the one that runs this; on AWS it is Node 24)
  --program FOLDER     another program than this repository's, that exports a relay's outputs as index.ts does
  --json               print one line of JSON when ready, and nothing else, to stdout`;

interface Flags {
  stack: string;
  config: Record<string, string>;
  port?: number;
  host?: string;
  timeScale: number;
  loseDisconnects: boolean;
  nodePath?: string;
  programFolder?: string;
  json: boolean;
}

async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2));
  if (!flags) {
    console.log(usage);
    return;
  }
  let stopping = false;
  const stop = async (exitCode: number) => {
    if (stopping) return;
    stopping = true;
    // The parts have nothing to lose; one that does not end must not keep the others, nor the terminal.
    setTimeout(() => process.exit(exitCode), 4_000).unref();
    const run = await starting.catch(() => undefined);
    await run?.close();
    process.exit(exitCode);
  };
  const fail = (error: Error) => {
    console.error(`error: ${oneLine(error)}`);
    void stop(1);
  };
  // npm forwards Ctrl-C to a child that has already got it from the terminal.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => void stop(0));
  }

  // Only now: loading takes two seconds, in which Ctrl-C would kill and a mistyped flag would go unanswered.
  const { LocalRun } = require("./localRun") as typeof import("./localRun");
  const starting = LocalRun.start({ ...flags, log: (line) => console.error(line), onLateError: fail });
  try {
    const { addresses, warnings } = await starting;
    if (stopping) return;
    console.log(flags.json ? JSON.stringify(addresses) : welcome(addresses, flags));
    for (const warning of warnings) console.error(`warning: ${warning}`);
  } catch (error) {
    fail(error as Error);
  }
}

/** Undefined where help was asked for. */
function readFlags(args: string[]): Flags | undefined {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string", default: "dev" },
      config: { type: "string", short: "c", multiple: true, default: [] },
      port: { type: "string" },
      host: { type: "string" },
      "time-scale": { type: "string", default: "1" },
      "lose-disconnects": { type: "boolean", default: false },
      node: { type: "string" },
      program: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    return undefined;
  }
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new Error(`--port: got ${JSON.stringify(values.port)}; allowed: a whole number from 0 to 65535`);
  }
  const { host } = values;
  if (host !== undefined && noHosts.includes(host)) {
    throw new Error(
      `--host: got ${JSON.stringify(host)}; allowed: an address of this machine as devices reach it, such as 192.168.1.20`,
    );
  }
  const timeScale = Number(values["time-scale"]);
  if (!(timeScale >= 1 && timeScale <= 1_000)) {
    throw new Error(`--time-scale: got ${JSON.stringify(values["time-scale"])}; allowed: a number from 1 to 1000`);
  }
  const config = Object.fromEntries(values.config.map(readPair));
  const { stack, json, node: nodePath } = values;
  if (nodePath !== undefined && !existsSync(nodePath)) {
    throw new Error(`--node: got ${JSON.stringify(nodePath)}; allowed: the path of a Node executable`);
  }
  const programFolder = values.program === undefined ? undefined : resolve(values.program);
  if (programFolder !== undefined && !existsSync(join(programFolder, "Pulumi.yaml"))) {
    throw new Error(`--program: got ${JSON.stringify(values.program)}; allowed: a folder with a Pulumi.yaml`);
  }
  const loseDisconnects = values["lose-disconnects"];
  return { stack, config, port, host, timeScale, loseDisconnects, nodePath, programFolder, json };
}

/** Every address at once, whose Origin nothing could list; and those on which the API listens anyway. */
const noHosts = ["", "0", "0.0.0.0", "::", "[::]", "localhost", "127.0.0.1", "::1", "[::1]"];

/** A value may hold further equals signs. */
function readPair(pair: string): [key: string, value: string] {
  const at = pair.indexOf("=");
  if (at < 1) throw new Error(`--config: got ${JSON.stringify(pair)}; allowed: KEY=VALUE, such as delivery=replay`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function welcome(addresses: Addresses, flags: Flags): string {
  const { websocketUrl, tokenUrl, awsEndpoint, dynamodbEndpoint, topicArn, deadLetterQueueUrl, tableName } = addresses;
  const { accessKeyId, secretAccessKey, region, controlUrl, pageUrl, delivery } = addresses;
  const value = (key: string, text: string) => `"${key}":{"DataType":"String","StringValue":"${text}"}`;
  return `
The relay of stack "${flags.stack}" runs on this machine, out of the same program and bundles as pulumi up deploys.

See it in a browser: connect, publish, cut the network, and watch what comes back:

  ${pageUrl}
${flags.host === undefined ? "" : `\nFrom another device: ${fromOutside(websocketUrl, flags.host)}\n`}
It delivers by ${delivery}${delivery === "retry" ? " (by replay with: npm start -- -c delivery=replay)" : ""}. Or by hand:

Connect as user 42, for context "chat" and contextId "7" (any WebSocket client; here npx wscat):

  npx wscat -c '${websocketUrl}?context=chat&contextId=7' -H "Authorization: Bearer $(curl -s '${tokenUrl}?user=42')"${
    delivery === "replay" ? " -s websocket-relay.v1" : ""
  }

Publish to that user as the backend, in another shell (AWS CLI):

  export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_DEFAULT_REGION=${region}
  aws --endpoint-url ${awsEndpoint} sns publish --topic-arn ${topicArn} --message 'Hello, 42' \\
    --message-attributes '{${value("user", "42")},${value("context", "chat")},${value("contextId", "7")}}'

Get a token for any user; further query parameters override claims, an empty one removes it:

  curl '${tokenUrl}?user=42&expiresInSeconds=60'

See who is connected, and what could not be delivered (npm start --silent -- --json > relay.json gives the command line
of docs/operations.md its addresses; here with the AWS CLI):

  aws --endpoint-url ${dynamodbEndpoint} dynamodb scan --table-name ${tableName}
  aws --endpoint-url ${awsEndpoint} sqs receive-message --queue-url ${deadLetterQueueUrl} --message-attribute-names All

Provoke what a network does (ids: GET ${controlUrl}/connections):

  curl -X POST ${controlUrl}/connections/ID/half-open
  curl -X POST ${controlUrl}/connections/ID/drop
  curl -X POST ${controlUrl}/faults -H 'content-type: application/json' -d '{"management":410,"times":1}'

Ctrl-C ends it.
`;
}

function fromOutside(websocketUrl: string, host: string): string {
  const url = new URL(websocketUrl);
  url.hostname = host.includes(":") ? `[${host}]` : host;
  return url.href;
}

function oneLine(error: Error): string {
  return error.message.split("\n").join(" ").trim();
}

main().catch((error: unknown) => {
  console.error(`error: ${oneLine(error as Error)}`);
  process.exit(1);
});
