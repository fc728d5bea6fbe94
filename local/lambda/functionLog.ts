import { arn } from "../account";
import { AccessDenied, type AccessRequest, type Iam } from "../iam/iam";
import { type FunctionConfiguration, logNames } from "./localFunction";

/**
 * A function's log: lines go to its log group's stream if its role may write there. As on AWS, they are lost otherwise. The
 * loss is logged once, until a role's rights change.
 */
export class FunctionLog {
  private lines: Promise<void> = Promise.resolve();
  private toldAtVersion: number | undefined;

  constructor(
    private readonly configuration: FunctionConfiguration,
    private readonly iam: Iam,
    /** Receives a line as the function wrote it. */
    private readonly log: (line: string) => void,
    /** Receives the notice that lines are lost. */
    private readonly notify: (line: string) => void,
    /** The names of the groups that exist. @default the function's does */
    private readonly logGroups?: Set<string>,
  ) {}

  /** Resolves when the line has been written, or lost. */
  write(line: string): Promise<void> {
    this.lines = this.lines.then(() => this.writeIfAllowed(line));
    return this.lines;
  }

  private async writeIfAllowed(line: string): Promise<void> {
    const { name, roleArn } = this.configuration;
    const { logGroupName, logStreamName } = logNames(this.configuration);
    const stream = (streamName: string) => arn("logs", `log-group:${logGroupName}:log-stream:${streamName}`);
    const resource = stream(logStreamName);
    const principal = this.iam.functionPrincipal(roleArn, name);
    // Lambda makes a group that the program has not, if the role may. IAM sees the ARN of a stream without a name.
    const isMissing = this.logGroups?.has(logGroupName) === false;
    const creation: AccessRequest[] = isMissing
      ? [{ principal, action: "logs:CreateLogGroup", resource: stream("") }]
      : [];
    try {
      // One stream for every environment here: each line has to find it, where on AWS each environment makes its own.
      await this.iam.authorize(
        ...creation,
        { principal, action: "logs:CreateLogStream", resource },
        { principal, action: "logs:PutLogEvents", resource },
      );
      this.logGroups?.add(logGroupName);
      this.log(line);
    } catch (error) {
      if (!(error instanceof AccessDenied)) throw error;
      const { version } = this.iam.roles;
      if (this.toldAtVersion !== version) this.notify(`the log lines of ${name} are lost: ${error.message}`);
      this.toldAtVersion = version;
    }
  }
}
