import { randomUUID } from "node:crypto";
import type { ExecutionEnvironment } from "./executionEnvironment";
import type { FunctionVersion } from "./functionVersion";
import type { Invocation } from "./invoker";
import type { PolicyStatement } from "./resourcePolicy";

export interface FunctionConfiguration {
  name: string;
  /** The ARN of the role that it runs as. */
  roleArn: string;
  /** A Pulumi archive of the function's code. */
  code: unknown;
  /** `file.export`, as in `index.handler`. */
  handler: string;
  runtime: string;
  timeoutSeconds: number;
  memorySizeMb: number;
  /** The function's own environment variables. */
  variables: Record<string, string>;
  /** @default { logFormat: "Text" } */
  loggingConfig?: { logFormat?: string; applicationLogLevel?: string; logGroup?: string };
}

type Acquired = [FunctionVersion, ExecutionEnvironment];

/** A function: its current version, its resource policy, and the invocations that wait for an environment. */
export class LocalFunction {
  /** The statements of its resource policy. */
  readonly policy: PolicyStatement[] = [];
  private readonly retired: FunctionVersion[] = [];
  private readonly waiting: { resolve: (acquired: Acquired) => void; reject: (reason: Error) => void }[] = [];

  constructor(
    readonly arn: string,
    public configuration: FunctionConfiguration,
    private version: FunctionVersion,
    private readonly maxEnvironments: number,
  ) {}

  /** Later invocations use `version`; running ones end on the version they began with. */
  async update(configuration: FunctionConfiguration, version: FunctionVersion): Promise<void> {
    const old = this.version;
    this.configuration = configuration;
    this.version = version;
    this.retired.push(old);
    this.serveWaiting();
    await old.retire();
  }

  async invoke(event: unknown, crash: boolean): Promise<Invocation> {
    const [version, environment] = await this.acquire();
    const { name, memorySizeMb } = this.configuration;
    const context = {
      functionName: name,
      functionVersion: "$LATEST",
      invokedFunctionArn: this.arn,
      memoryLimitInMB: String(memorySizeMb),
      awsRequestId: randomUUID(),
      ...logNames(this.configuration),
    };
    try {
      return await environment.invoke({ event: event ?? null, context, crash });
    } finally {
      await version.release(environment);
      this.serveWaiting();
    }
  }

  /** Kills every environment. Running invocations fail, waiting ones reject with `reason`. */
  async remove(reason: Error): Promise<void> {
    for (const { reject } of this.waiting.splice(0)) reject(reason);
    await Promise.all([...this.retired, this.version].map((version) => version.kill()));
  }

  private acquire(): Promise<Acquired> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.serveWaiting();
    });
  }

  private serveWaiting(): void {
    while (this.waiting.length > 0) {
      const environment = this.version.acquire(this.maxEnvironments);
      if (environment === undefined) {
        return;
      }
      this.waiting.shift()?.resolve([this.version, environment]);
    }
  }
}

/** The names of a function's log group and stream, as its context has them. */
export function logNames(configuration: FunctionConfiguration): { logGroupName: string; logStreamName: string } {
  return {
    logGroupName: configuration.loggingConfig?.logGroup ?? `/aws/lambda/${configuration.name}`,
    logStreamName: "local",
  };
}
