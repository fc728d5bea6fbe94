import { resolve } from "node:path";
import { LocalCloud, type LocalCloudOptions } from "../cloud";
import { Control } from "../control/control";
import { type Addresses, relayAddresses } from "./addresses";
import { programEntry } from "./program";
import { runProgram, type RunProgramOptions } from "./runProgram";
import { readStackConfig, type StackConfig, withAllowedOrigins, withLocalIssuer } from "./stackConfig";

export const repository = resolve(__dirname, "../..");

export interface LocalRunOptions extends Pick<
  LocalCloudOptions,
  "log" | "port" | "host" | "loseDisconnects" | "timeScale" | "nodePath"
> {
  stack: string;
  /** Values instead of the stack's, as text by their keys. @default none */
  config?: Readonly<Record<string, string>>;
  /** Runs the program, and answers its outputs. @default in this process, without the pulumi CLI */
  execute?: (program: Omit<RunProgramOptions, "entry">) => Promise<Readonly<Record<string, unknown>>>;
  /** Called with errors that occur after the run is ready. */
  onLateError: (error: Error) => void;
  /** The folder of Pulumi.yaml and the stack's file. @default this repository's */
  programFolder?: string;
}

/** This repository's program, executed with a stack's own config and provisioned on one machine. */
export class LocalRun {
  private constructor(
    readonly addresses: Addresses,
    /** Parts of the program that cannot work locally, each with its fix. */
    readonly warnings: readonly string[],
    readonly cloud: LocalCloud,
    private readonly control: Control,
  ) {}

  /** Resolves when everything is registered and provisioned, and the pollers poll. */
  static async start(options: LocalRunOptions): Promise<LocalRun> {
    const { stack, onLateError, programFolder = repository } = options;
    const execute = options.execute ?? inThisProcess(programFolder);
    const configured = readStackConfig(programFolder, stack, options.config);
    const audience = "websocket-relay-local";
    const { userClaim, cookieName } = authNames(configured);

    const cloud = await LocalCloud.start({ ...options, audience, userClaim });
    let control: Control | undefined;
    try {
      // Before the program, which has to know the origin of the page.
      control = await Control.start(cloud);
      const withIssuer = withLocalIssuer(configured, { issuer: cloud.issuer.issuer, audience });
      const own = ownOrigins(await cloud.gateways.reservePort(), options.host);
      const config = withAllowedOrigins(withIssuer, [control.url, ...own]);
      const { provisioner } = cloud;
      const exported = await execute({ stack, config, provisioner, onLateError });
      const { values } = config;
      const addresses = relayAddresses(exported, {
        cloud,
        controlUrl: control.url,
        cookieName,
        allowedOrigins: (values.allowedOrigins ?? []) as string[],
      });
      control.serve(addresses);
      return new LocalRun(addresses, [...foreignIssuers(cloud), ...pageRefusals(cloud, control.url)], cloud, control);
    } catch (error) {
      await control?.close();
      await cloud.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.control.close();
    await this.cloud.close();
  }
}

function inThisProcess(programFolder: string): NonNullable<LocalRunOptions["execute"]> {
  const entry = programEntry(programFolder);
  return (program) => runProgram({ entry, ...program });
}

/** A program whose issuer is in its code starts, and then refuses every token of the local issuer. */
function foreignIssuers({ lambda, issuer }: LocalCloud): string[] {
  return lambda.functionNames().flatMap((name) => {
    const auth = JSON.parse(lambda.functionVariables(name)["AUTH"] ?? "null") as {
      oidc?: { issuer: string };
      cognito?: { userPoolId: string };
    } | null;
    const accepted = auth?.oidc?.issuer ?? auth?.cognito?.userPoolId;
    if (accepted === undefined || accepted === issuer.issuer) return [];
    return [
      `${name} accepts tokens of ${accepted} alone, and none of ${issuer.tokenUrl}: the program does not read auth from ` +
        'its config. Fix: auth: config.requireObject("auth"), which gets the local issuer here.',
    ];
  });
}

/** A program whose origins are in its code starts, and then refuses the page. */
function pageRefusals({ lambda }: LocalCloud, page: string): string[] {
  return lambda.functionNames().flatMap((name) => {
    const allowed = JSON.parse(lambda.functionVariables(name)["ALLOWED_ORIGINS"] ?? "null") as string[] | null;
    if (allowed === null || allowed.includes(page)) return [];
    return [
      `${name} refuses the connections of ${page}, the page: the program does not read allowedOrigins from its config. ` +
        'Fix: allowedOrigins: config.getObject("allowedOrigins"), which gets the origin of the page here.',
    ];
  });
}

/**
 * What React Native sends as Origin: the address at which its app reaches the API. 10.0.2.2 is this machine to an Android
 * emulator. A list, and never "the same as Host": a foreign page sends a Host of its own choice by DNS rebinding.
 */
function ownOrigins(port: number, host?: string): string[] {
  const hosts = ["localhost", "10.0.2.2", ...(host === undefined ? [] : [host.includes(":") ? `[${host}]` : host])];
  return hosts.map((name) => `http://${name}:${port}`);
}

function authNames({ values }: StackConfig): { userClaim: string; cookieName: string } {
  const { userClaim = "sub", cookieName = "access_token" } = (values.auth ?? {}) as Record<string, string | undefined>;
  return { userClaim, cookieName };
}
