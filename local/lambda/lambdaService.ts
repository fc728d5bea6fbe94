import { account, arn, region } from "../account";
import { Iam } from "../iam/iam";
import type { PolicyEntry, PolicyHolder } from "../iam/policies";
import type { LocalMetrics } from "../cloudwatch/metrics";
import { FunctionLog } from "./functionLog";
import { FunctionVersion } from "./functionVersion";
import type { Invocation, Invoker } from "./invoker";
import { type FunctionConfiguration, LocalFunction } from "./localFunction";
import { isApplicationLineKept, systemLine } from "./logLevels";
import { reservedVariables } from "./reservedVariables";
import { type Caller, checkPermission, type Permission, type PolicyStatement, statementOf } from "./resourcePolicy";

export interface LambdaServiceOptions {
  /** Variables that every function gets, over its own: the endpoints of the local parts. Read when a function is put. */
  environment: () => Record<string, string>;
  /** The Node that runs the functions. @default the one that runs this process */
  nodePath?: string;
  /** Receives what functions write, line by line, each after its function's name. */
  log: (line: string) => void;
  /** The names of the log groups that exist. @default every function's does */
  logGroups?: Set<string>;
  /** Receives the metric documents in the logs. @default they are logged like other lines */
  metrics?: LocalMetrics;
  /** How many invocations of one function run at a time; further ones wait in order. @default 3 */
  maxEnvironments?: number;
  /** How many invocations of one function may wait where their callers may stop waiting: the gateway's. @default 500 */
  maxWaiting?: number;
  /** Judges who may invoke a function, and whether it may write its log. @default one without any role */
  iam?: Iam;
}

/**
 * Runs Lambda functions on this machine: one child process for each execution environment, which unpacks what would be
 * uploaded into an empty folder, and sees nothing of this process's environment but PATH.
 *
 * Not as on AWS: an environment is not frozen between invocations, memory is not limited, and at a function's limit of
 * environments its invocations wait; only where hundreds of the gateway's wait already is the next one throttled.
 */
export class LambdaService implements Invoker, PolicyHolder {
  private readonly functions = new Map<string, LocalFunction>();
  private readonly crashes: { functionName: string; times: number }[] = [];
  private readonly iam: Iam;
  private closed = false;

  constructor(private readonly options: LambdaServiceOptions) {
    this.iam = options.iam ?? new Iam();
  }

  /** `functionName` is a name, an ARN, or an ARN with a qualifier. */
  hasFunction(functionName: string): boolean {
    return this.functions.has(nameOf(functionName));
  }

  functionNames(): string[] {
    return [...this.functions.keys()];
  }

  /**
   * Creates the function, or changes it: its idle environments end now, its busy ones after what they run. Resolves
   * with the function's ARN.
   */
  async putFunction(configuration: FunctionConfiguration): Promise<string> {
    const functionArn = arn("lambda", `function:${configuration.name}`);
    const { log, logGroups, metrics, nodePath = process.execPath } = this.options;
    const { maxEnvironments = 3, maxWaiting = 500 } = this.options;
    const logged = (line: string) => log(`${configuration.name}: ${metrics?.take(line) ?? line}`);
    const functionLog = new FunctionLog(configuration, this.iam, logged, log, logGroups);
    const version = await FunctionVersion.create(configuration.code, (folder) => ({
      nodePath,
      timeoutSeconds: configuration.timeoutSeconds,
      log: (line) => isApplicationLineKept(line, configuration.loggingConfig) && void functionLog.write(line),
      systemLog: (event) => {
        const line = systemLine(event, configuration.loggingConfig);
        if (line !== undefined) void functionLog.write(line);
      },
      variables: {
        ...configuration.variables,
        ...reservedVariables(configuration, folder),
        ...this.options.environment(),
      },
    }));
    if (this.closed) {
      await version.kill();
      throw closedError();
    }
    const existing = this.functions.get(configuration.name);
    if (existing) {
      await existing.update(configuration, version);
    } else {
      this.functions.set(
        configuration.name,
        new LocalFunction(functionArn, configuration, version, { maxEnvironments, maxWaiting }),
      );
    }
    return functionArn;
  }

  /** Ends the function with whatever it runs, and forgets its permissions. */
  async deleteFunction(functionName: string): Promise<void> {
    const deleted = this.find(functionName);
    this.functions.delete(deleted.configuration.name);
    await deleted.remove(notFound(functionName));
  }

  addPermission(functionName: string, permission: Permission): void {
    const { policy, arn: functionArn } = this.find(functionName);
    if (policy.some(({ Sid }) => Sid === permission.statementId)) {
      throw named(
        "ResourceConflictException",
        `The statement id ${permission.statementId} of ${functionArn} is taken: choose another one.`,
      );
    }
    policy.push(statementOf(functionArn, permission));
  }

  removePermission(functionName: string, statementId: string): void {
    const { policy } = this.find(functionName);
    const index = policy.findIndex(({ Sid }) => Sid === statementId);
    if (index < 0) {
      throw named(
        "ResourceNotFoundException",
        `${functionName} has no permission with the statement id ${statementId}.`,
      );
    }
    policy.splice(index, 1);
  }

  /** `functionName` is a name, an ARN, or an ARN with a qualifier. */
  async invoke(functionName: string, event: unknown, caller?: Caller, signal?: AbortSignal): Promise<Invocation> {
    const invoked = this.find(functionName);
    if (caller) {
      await checkPermission(this.iam, invoked.arn, invoked.policy, caller);
    }
    return invoked.invoke(event, () => this.takeCrash(invoked.configuration.name), signal);
  }

  functionTimeoutSeconds(functionName: string): number {
    return this.find(functionName).configuration.timeoutSeconds;
  }

  /** The function's own environment variables. */
  functionVariables(functionName: string): Readonly<Record<string, string>> {
    return this.find(functionName).configuration.variables;
  }

  /** The ARN of the role that the function runs as. */
  functionRoleArn(functionName: string): string {
    return this.find(functionName).configuration.roleArn;
  }

  policies(): PolicyEntry[] {
    return [...this.functions.values()]
      .filter(({ policy }) => policy.length > 0)
      .map(({ arn: of, policy }) => ({ of, document: { Version: "2012-10-17", Statement: [...policy] } }));
  }

  setPolicy(of: string, _name: string | undefined, document: string | undefined): boolean {
    const found = this.functions.get(nameOf(of));
    if (!found) return false;
    const { Statement: statements } = JSON.parse(document ?? '{"Statement":[]}') as { Statement: PolicyStatement[] };
    found.policy.splice(0, Infinity, ...statements);
    return true;
  }

  /**
   * Kills the process (SIGKILL) in the middle of each of the next `times` invocations of the functions whose name begins
   * with `functionName`: when its handler has got the first answer to an HTTP request that it made, or, where it makes
   * none, when it is about to return.
   */
  crashNext(functionName: string, times = 1): void {
    if (![...this.functions.keys()].some((name) => name.startsWith(functionName))) {
      throw notFound(functionName);
    }
    this.crashes.push({ functionName, times });
  }

  /** Kills every process and removes every folder. Waiting invocations reject. */
  async close(): Promise<void> {
    this.closed = true;
    const functions = [...this.functions.values()];
    this.functions.clear();
    await Promise.all(functions.map((each) => each.remove(closedError())));
  }

  private find(functionName: string): LocalFunction {
    if (this.closed) {
      throw closedError();
    }
    const found = this.functions.get(nameOf(functionName));
    if (!found) {
      throw notFound(functionName);
    }
    return found;
  }

  private takeCrash(name: string): boolean {
    const crash = this.crashes.find((each) => each.times > 0 && name.startsWith(each.functionName));
    if (crash) crash.times -= 1;
    return crash !== undefined;
  }
}

/** The name in an ARN of this account and region, with or without a qualifier; any other text is taken as a name. */
function nameOf(functionName: string): string {
  const prefix = `arn:aws:lambda:${region}:${account}:function:`;
  return functionName.startsWith(prefix) ? (functionName.slice(prefix.length).split(":")[0] ?? "") : functionName;
}

function notFound(functionName: string): Error {
  return named("ResourceNotFoundException", `Function not found: ${functionName}`);
}

function closedError(): Error {
  return new Error("The local Lambda service is closed.");
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(`${name}: ${message}`), { name });
}
