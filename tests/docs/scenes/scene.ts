import { Relay } from "../../endToEnd/relay";
import type { Block } from "../blocks";
import type { Tool } from "../tools";

/** Runs a block in what it needs, and asserts that it did what its page says. */
export interface Scene {
  /** What it needs beyond Node and npm. */
  needs?: Tool[];
  play(block: Block, relays: Relays): Promise<void>;
}

/** The local runs that scenes play against, each started when it is first needed. */
export class Relays {
  private readonly started = new Map<string, Promise<Relay>>();

  retry = () => this.get("retry", []);
  replay = () => this.get("replay", ["-c", "delivery=replay"]);
  httpRead = () => this.get("httpRead", ["-c", "delivery=replay", "-c", "httpRead=true"]);
  strict = () => this.get("strict", ["-c", "delivery=replay", "-c", "ordering=strict"]);

  /** Its clocks are fast: a message is dead-lettered after a second or two. User 42 may be blocked. */
  fast = () => this.get("fast", ["--time-scale", "60"]);
  /** One for that scene alone. */
  own = (scene: string) => this.get(scene, []);

  async stop(): Promise<void> {
    for (const relay of this.started.values()) await (await relay).stop();
  }

  private get(name: string, flags: string[]): Promise<Relay> {
    const relay = this.started.get(name) ?? Relay.start(flags);
    this.started.set(name, relay);
    return relay;
  }
}

/** By which the AWS CLI and every SDK find the local run. */
export function awsEnvironment({ addresses }: Relay): NodeJS.ProcessEnv {
  const { region, accessKeyId, secretAccessKey, awsEndpoint, dynamodbEndpoint } = addresses;
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL_SNS: awsEndpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
  };
}

/** To whom most pages publish. */
export const user42 = { user: "42", context: "chat", contextId: "7" };
