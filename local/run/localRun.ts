import { basename, resolve } from "node:path";
import { arn, credentials, region } from "../account";
import { LocalCloud, type LocalCloudOptions } from "../cloud";
import { Control } from "../control/control";
import { programEntry } from "./program";
import { runProgram } from "./runProgram";
import { readStackConfig, type StackConfig, withAllowedOrigins, withLocalIssuer } from "./stackConfig";

export interface LocalRunOptions extends Pick<
  LocalCloudOptions,
  "log" | "port" | "host" | "loseDisconnects" | "timeScale" | "nodePath"
> {
  stack: string;
  /** Values instead of the stack's, as text by their keys. @default none */
  config?: Readonly<Record<string, string>>;
  /** Called with what goes wrong once the run is ready. */
  onLateError: (error: Error) => void;
  /** The folder of Pulumi.yaml and the stack's file. @default this repository's */
  programFolder?: string;
}

/** Where everything is, as `npm start -- --json` prints it. */
export interface Addresses {
  /** The relay's name in its metrics, where the program tells it. */
  relayName?: string;
  /** How messages come to a client that was away; `retry` where the program tells nothing. */
  delivery: "retry" | "replay";
  websocketUrl: string;
  managementEndpoint: string;
  /** SNS and SQS. */
  awsEndpoint: string;
  dynamodbEndpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  topicArn: string;
  queueUrl: string;
  queueArn: string;
  deadLetterQueueUrl: string;
  subscriptionDeadLetterQueueUrl: string;
  tableName: string;
  /** Where the relay delivers by replay. */
  historyTableName?: string;
  /** Where the relay tells how messages end. */
  receiptsTopicArn?: string;
  tokenUrl: string;
  jwksUrl: string;
  cookieName: string;
  allowedOrigins: string[];
  controlUrl: string;
  /** The page of local/page, in a browser. */
  pageUrl: string;
}

/** This repository's program, executed with a stack's own config and provisioned on one machine. */
export class LocalRun {
  private constructor(
    readonly addresses: Addresses,
    /** What of the program cannot work here, each with its fix. */
    readonly warnings: readonly string[],
    readonly cloud: LocalCloud,
    private readonly control: Control,
  ) {}

  /** Resolves when everything is registered and provisioned, and the pollers poll. */
  static async start(options: LocalRunOptions): Promise<LocalRun> {
    const { stack, onLateError, programFolder = resolve(__dirname, "../..") } = options;
    const entry = programEntry(programFolder);
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
      const exported = await runProgram({ entry, stack, config, provisioner, onLateError });
      // One by one, as index.ts exports them, or together, as a relay's `addresses`.
      const outputs = { ...exported, ...(exported.addresses as Record<string, unknown> | undefined) };
      const addresses: Addresses = {
        ...(typeof outputs.relayName === "string" && { relayName: outputs.relayName }),
        delivery: outputs.delivery === "replay" ? "replay" : "retry",
        websocketUrl: text(outputs, "websocketUrl"),
        managementEndpoint: text(outputs, "managementEndpoint"),
        awsEndpoint: cloud.messaging.endpoint,
        dynamodbEndpoint: cloud.tables.endpoint,
        region,
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secretAccessKey,
        topicArn: text(outputs, "topicArn"),
        queueUrl: text(outputs, "queueUrl"),
        queueArn: arn("sqs", basename(text(outputs, "queueUrl"))),
        deadLetterQueueUrl: text(outputs, "deadLetterQueueUrl"),
        subscriptionDeadLetterQueueUrl: text(outputs, "subscriptionDeadLetterQueueUrl"),
        tableName: text(outputs, "tableName"),
        ...textsOf(outputs, ["historyTableName", "receiptsTopicArn"]),
        tokenUrl: cloud.issuer.tokenUrl,
        jwksUrl: cloud.issuer.jwksUrl,
        cookieName,
        allowedOrigins: [
          ...((config.values.allowedOrigins ?? []) as string[]),
          new URL(text(outputs, "managementEndpoint")).origin,
        ],
        controlUrl: control.url,
        pageUrl: `${control.url}/`,
      };
      control.serve(addresses);
      return new LocalRun(addresses, foreignIssuers(cloud), cloud, control);
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

/** A program whose issuer is in its code starts, and then refuses every token that the local run can give. */
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

/** Those that there are. */
function textsOf<K extends string>(outputs: Record<string, unknown>, keys: readonly K[]): Partial<Record<K, string>> {
  const given = keys.filter((key) => typeof outputs[key] === "string");
  return Object.fromEntries(given.map((key) => [key, outputs[key]])) as Partial<Record<K, string>>;
}

function text(outputs: Record<string, unknown>, key: string): string {
  const value = outputs[key];
  if (typeof value !== "string") {
    throw new Error(
      `the program's output ${key} is ${JSON.stringify(value)}: the program has to export it as text, as index.ts does`,
    );
  }
  return value;
}
