import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { readPairs, readProgramFolder } from "./sharedFlags";
import { exitWithError, runUntilInterrupted } from "./runUntilInterrupted";
import { welcome } from "./welcome";

const usage = `npm start -- [--stack dev] [--config KEY=VALUE]… [--port N] [--host ADDRESS] [--time-scale N] [--lose-disconnects]
             [--node PATH] [--program FOLDER] [--json]

  --stack NAME         the stack whose config is used: dev (default), prod, or any Pulumi.NAME.yaml
  -c, --config KEY=VALUE
                       override a value of the stack's config for this run; repeatable: -c delivery=replay
  --port N             port of the WebSocket API (default: any free one)
  --host ADDRESS       an address of this machine at which other devices reach the WebSocket API (default: 127.0.0.1 only)
  --time-scale N       run the clocks of gateway and queues N times as fast (default: 1)
  --lose-disconnects   never deliver $disconnect, which is best effort on AWS
  --node PATH          the Node executable that runs the functions (default: the current one; on AWS it is Node 24)
  --program FOLDER     run another program than this repository's; it must export the relay's outputs as index.ts does
  --json               print one line of JSON to stdout when ready, and nothing else`;

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
  await runUntilInterrupted(
    (LocalRun, onLateError) => LocalRun.start({ ...flags, log: (line) => console.error(line), onLateError }),
    ({ addresses }) => {
      const heading = `The relay of stack "${flags.stack}" runs on this machine, from the program and the bundles that pulumi up deploys.`;
      const options = { replayCommand: "npm start -- -c delivery=replay", host: flags.host };
      console.log(flags.json ? JSON.stringify(addresses) : welcome(heading, addresses, options));
    },
  );
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
      `--host: got ${JSON.stringify(host)}; allowed: an address of this machine that other devices can reach, such as 192.168.1.20`,
    );
  }
  const timeScale = Number(values["time-scale"]);
  if (!(timeScale >= 1 && timeScale <= 1_000)) {
    throw new Error(`--time-scale: got ${JSON.stringify(values["time-scale"])}; allowed: a number from 1 to 1000`);
  }
  const config = readPairs(values.config);
  const { stack, json, node: nodePath } = values;
  if (nodePath !== undefined && !existsSync(nodePath)) {
    throw new Error(`--node: got ${JSON.stringify(nodePath)}; allowed: the path of a Node executable`);
  }
  const programFolder = readProgramFolder(values.program);
  const loseDisconnects = values["lose-disconnects"];
  return { stack, config, port, host, timeScale, loseDisconnects, nodePath, programFolder, json };
}

/** Refused: wildcard addresses, since their origins cannot be listed, and addresses on which the API listens anyway. */
const noHosts = ["", "0", "0.0.0.0", "::", "[::]", "localhost", "127.0.0.1", "::1", "[::1]"];

main().catch(exitWithError);
