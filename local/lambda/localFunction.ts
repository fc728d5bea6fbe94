import { randomUUID } from "node:crypto";
import type { ExecutionEnvironment } from "./executionEnvironment";
import type { FunctionVersion } from "./functionVersion";
import { type Invocation, ThrottledError } from "./invoker";
import type { LoggingConfig } from "./logLevels";
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
  /** The most invocations at a time. @default as many as there may be environments */
  reservedConcurrentExecutions?: number;
  /** @default { logFormat: "Text" } */
  loggingConfig?: LoggingConfig;
}

type Acquired = [FunctionVersion, ExecutionEnvironment];

interface Waiting {
  resolve: (acquired: Acquired) => void;
  reject: (reason: Error) => void;
}

/** A function: its current version, its resource policy, and the invocations that wait for an environment. */
export class LocalFunction {
  /** The statements of its resource policy. */
  readonly policy: PolicyStatement[] = [];
  private readonly retired: FunctionVersion[] = [];
  private readonly waiting = new Set<Waiting>();

  constructor(
    readonly arn: string,
    public configuration: FunctionConfiguration,
    private version: FunctionVersion,
    private readonly limits: { maxEnvironments: number; maxWaiting: number },
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

  /** `takeCrash` is asked when the invocation begins: whether it is to crash. For `signal` see `Invoker`. */
  async invoke(event: unknown, takeCrash: () => boolean, signal?: AbortSignal): Promise<Invocation> {
    const [version, environment] = await this.acquire(signal);
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
      return await environment.invoke({ event: event ?? null, context, crash: takeCrash() });
    } finally {
      await version.release(environment);
      this.serveWaiting();
    }
  }

  /** Kills every environment. Running invocations fail, waiting ones reject with `reason`. */
  async remove(reason: Error): Promise<void> {
    for (const { reject } of this.waiting) reject(reason);
    this.waiting.clear();
    await Promise.all([...this.retired, this.version].map((version) => version.kill()));
  }

  private acquire(signal?: AbortSignal): Promise<Acquired> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      if (this.concurrency === 0) return reject(new ThrottledError("Rate Exceeded: its reserved concurrency is 0"));
      if (signal && this.waiting.size >= this.limits.maxWaiting) return reject(this.throttled());
      const abandon = () => {
        this.waiting.delete(waiting);
        reject(signal?.reason as Error);
      };
      const waiting: Waiting = {
        resolve: (acquired) => {
          signal?.removeEventListener("abort", abandon);
          resolve(acquired);
        },
        reject,
      };
      signal?.addEventListener("abort", abandon, { once: true });
      this.waiting.add(waiting);
      this.serveWaiting();
    });
  }

  private get concurrency(): number {
    return Math.min(this.limits.maxEnvironments, this.configuration.reservedConcurrentExecutions ?? Infinity);
  }

  private throttled(): ThrottledError {
    return new ThrottledError(
      `Rate Exceeded: its ${this.concurrency} execution environments are busy, and ` +
        `${this.limits.maxWaiting} invocations wait for one`,
    );
  }

  private serveWaiting(): void {
    for (const waiting of this.waiting) {
      const environment = this.version.acquire(this.concurrency);
      if (environment === undefined) return;
      this.waiting.delete(waiting);
      waiting.resolve([this.version, environment]);
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
