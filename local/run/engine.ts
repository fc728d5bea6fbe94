import { parseArgs } from "node:util";
import { readPairs, readProgramFolder } from "./sharedFlags";
import { ChildProcesses } from "./childProcesses";
import type { LocalRunOptions } from "./localRun";
import { exitWithError, Finished, runUntilInterrupted } from "./runUntilInterrupted";
import { welcome } from "./welcome";

// `npm run engine`: the real pulumi CLI against the local parts.

const usage = `npm run engine -- [--stack dev] [--config KEY=VALUE]… [--program FOLDER] COMMAND [ARGUMENT]…

Runs a command of the real pulumi CLI against this machine instead of AWS, for example: npm run engine -- up

  --stack NAME         the stack whose config is used: dev (default), prod, or any Pulumi.NAME.yaml
  -c, --config KEY=VALUE
                       override a value of the stack's config for this run; repeatable: -c delivery=replay
  --program FOLDER     run another program than this repository's
  COMMAND              up, preview, or any other command of the CLI, with its arguments`;

interface Flags {
  stack: string;
  config: Record<string, string>;
  programFolder?: string;
  command: string[];
}

async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2));
  if (!flags) {
    console.log(usage);
    return;
  }
  const { command, ...options } = flags;
  const children = new ChildProcesses();
  let cliVariables: Readonly<Record<string, string>> = {};
  await runUntilInterrupted(
    (LocalRun, onLateError) =>
      LocalRun.start({
        ...options,
        timeScale: 1,
        loseDisconnects: false,
        log: (line) => console.error(line),
        onLateError,
        execute: runWithPulumi(command, options.programFolder, children, (variables) => (cliVariables = variables)),
      }),
    ({ addresses }) => {
      // The last five are for the relay's own command line, in the same shell.
      const variables = {
        ...cliVariables,
        AWS_ACCESS_KEY_ID: addresses.accessKeyId,
        AWS_SECRET_ACCESS_KEY: addresses.secretAccessKey,
        AWS_ENDPOINT_URL_DYNAMODB: addresses.dynamodbEndpoint,
        AWS_ENDPOINT_URL_SNS: addresses.awsEndpoint,
        AWS_ENDPOINT_URL_SQS: addresses.awsEndpoint,
      };
      const exported = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
      const runAgain = `  export ${exported.join(" ")}\n  pulumi up`;
      const heading = `The relay that pulumi created runs on this machine. To change it, run in the program's folder, in another shell:\n\n${runAgain}`;
      console.log(welcome(heading, addresses, { replayCommand: "npm run engine -- -c delivery=replay up" }));
    },
    (signal) => children.end(signal),
  );
}

/** Ends the run with the command's exit code if it fails, or if it creates no relay, such as a preview. */
function runWithPulumi(
  command: readonly string[],
  programFolder: string | undefined,
  children: ChildProcesses,
  onReady: (variables: Readonly<Record<string, string>>) => void,
): LocalRunOptions["execute"] {
  return async ({ config, provisioner }) => {
    const { ProviderServer } = require("../provision/providerServer") as typeof import("../provision/providerServer");
    const { PulumiCli } = require("./pulumiCli") as typeof import("./pulumiCli");
    const { repository } = require("./localRun") as typeof import("./localRun");
    const provider = await ProviderServer.start(provisioner);
    const cli = await PulumiCli.create(programFolder ?? repository, config, provider.port, children);
    // The stack's file is in the user's folder: it is removed however the process ends.
    process.on("exit", () => cli.remove());
    const exitCode = await cli.run(command);
    const outputs = exitCode === 0 ? await cli.outputs() : {};
    if (Object.keys(outputs).length === 0) throw new Finished(exitCode);
    onReady(cli.variables);
    return outputs;
  };
}

/** Undefined where help was asked for, or no command was given. */
function readFlags(args: string[]): Flags | undefined {
  // Arguments after the command belong to the CLI.
  const at = commandAt(args);
  const { values } = parseArgs({
    args: args.slice(0, at),
    options: {
      stack: { type: "string", default: "dev" },
      config: { type: "string", short: "c", multiple: true, default: [] },
      program: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const command = args.slice(at);
  if (values.help || command.length === 0) return undefined;
  const programFolder = readProgramFolder(values.program);
  return { stack: values.stack, config: readPairs(values.config), programFolder, command };
}

/** The index of the first argument that is neither a flag nor a flag's value. */
function commandAt(args: readonly string[]): number {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (!arg.startsWith("-")) return at;
    if (["--stack", "--config", "-c", "--program"].includes(arg)) at += 1;
  }
  return args.length;
}

main().catch(exitWithError);
