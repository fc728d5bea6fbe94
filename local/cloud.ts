import { EventRules } from "./events/eventRules";
import { Gateways } from "./gateway/gateways";
import { Iam } from "./iam/iam";
import { Issuer } from "./oidc/issuer";
import { LambdaService } from "./lambda/lambdaService";
import { Messaging } from "./messaging/messaging";
import { LocalMetrics } from "./cloudwatch/metrics";
import { Provisioner } from "./provision/provisioner";
import { alarmResources } from "./provision/alarm";
import { apiGatewayResources } from "./provision/apiGateway";
import { customDomainResources } from "./provision/customDomain";
import { dashboardResources } from "./provision/dashboard";
import { eventRuleResources } from "./provision/eventRule";
import { EventSourceMappings, eventSourceMappingResources } from "./provision/eventSourceMapping";
import { iamResources } from "./provision/iam";
import { kmsResources } from "./provision/kms";
import { lambdaResources } from "./provision/lambda";
import { type LogGroups, logGroupResources } from "./provision/logGroup";
import { messagingResources } from "./provision/messaging";
import { messagingFunctions } from "./provision/messagingState";
import { providerResources } from "./provision/providerResource";
import { recordResources } from "./provision/route53Record";
import { tableFunctions, tableResources } from "./provision/table";
import { Tables } from "./dynamodb/tables";
import { Trace } from "./trace/trace";

export interface LocalCloudOptions {
  /** The audience that the local issuer's tokens are for. */
  audience: string;
  /** The claim that is the user's code. */
  userClaim: string;
  /** Receives what the parts and the functions log, line by line. */
  log: (line: string) => void;
  /** Port of the first WebSocket API. @default any free one */
  port?: number;
  /** Another address of this machine where the first WebSocket API listens. @default 127.0.0.1 alone */
  host?: string;
  /** The gateway delivers no `$disconnect`, which is best effort on AWS. @default false */
  loseDisconnects?: boolean;
  /** How many times as fast the clocks of gateway and queues run. @default 1 */
  timeScale?: number;
  /** The Node that runs the functions. @default the one that runs this process */
  nodePath?: string;
}

/** The parts of AWS that a relay needs, on this machine: everything that a registered resource can become here. */
export class LocalCloud {
  private constructor(
    readonly trace: Trace,
    readonly iam: Iam,
    readonly issuer: Issuer,
    readonly tables: Tables,
    readonly messaging: Messaging,
    readonly lambda: LambdaService,
    readonly gateways: Gateways,
    readonly eventSourceMappings: EventSourceMappings,
    readonly eventRules: EventRules,
    readonly metrics: LocalMetrics,
    readonly provisioner: Provisioner,
    private readonly mute: () => void,
  ) {}

  static async start(options: LocalCloudOptions): Promise<LocalCloud> {
    const { port, host, audience, userClaim, nodePath, timeScale = 1, loseDisconnects = false } = options;
    // The SDK drops Node 20 in 2027. The functions run on Node 24, so the warning is of no use here.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const trace = new Trace();
    const iam = new Iam();
    let muted = false;
    const log = (line: string) => void (muted || options.log(line));
    const metrics = new LocalMetrics();
    const logGroups: LogGroups = new Set();
    const [issuer, tables, messaging] = await Promise.all([
      Issuer.start({ audience, userClaim, log }),
      Tables.start({ trace, iam }),
      Messaging.start({ trace, timeScale, log, iam }),
    ]);
    const lambda = new LambdaService({
      log,
      iam,
      logGroups,
      metrics,
      nodePath,
      environment: () => ({
        AWS_ENDPOINT_URL_DYNAMODB: tables.endpoint,
        AWS_ENDPOINT_URL_SNS: messaging.endpoint,
        AWS_ENDPOINT_URL_SQS: messaging.endpoint,
        // The local issuer's certificate is self-signed, and the functions fetch its keys over https as on AWS.
        NODE_EXTRA_CA_CERTS: issuer.caFile,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      }),
    });
    const gateways = new Gateways({ invoker: lambda, trace, timeScale, loseDisconnects, log, port, host, iam });
    const eventSourceMappings = new EventSourceMappings({
      invoker: lambda,
      functionTimeoutSeconds: (functionArn) => lambda.functionTimeoutSeconds(functionArn),
      functionRoleArn: (functionArn) => lambda.functionRoleArn(functionArn),
      iam,
      messaging,
      timeScale,
      trace,
      log,
    });
    const eventRules = new EventRules({ invoker: lambda, timeScale, log });
    const provisioner = new Provisioner(
      {
        ...alarmResources(),
        ...apiGatewayResources(gateways, logGroups),
        ...customDomainResources(gateways),
        ...dashboardResources(),
        ...eventRuleResources(eventRules),
        ...eventSourceMappingResources(eventSourceMappings),
        ...iamResources({ iam, log }),
        ...kmsResources(iam.keys),
        ...lambdaResources(lambda, iam),
        ...logGroupResources(logGroups, iam),
        ...messagingResources(messaging),
        ...providerResources(log),
        ...recordResources(),
        ...tableResources(tables),
      },
      { ...messagingFunctions(messaging), ...tableFunctions(tables) },
    );
    iam.policies.add(messaging);
    iam.policies.add(lambda);
    const mute = () => (muted = true);
    return new LocalCloud(
      trace,
      iam,
      issuer,
      tables,
      messaging,
      lambda,
      gateways,
      eventSourceMappings,
      eventRules,
      metrics,
      provisioner,
      mute,
    );
  }

  /** Ends everything at once, including work under way: nothing outlives the process. */
  async close(): Promise<void> {
    // Parts that fail because another part has ended are not worth logging.
    this.mute();
    this.eventRules.stop();
    await Promise.all([this.eventSourceMappings.stop(), this.gateways.close(), this.lambda.close()]);
    await Promise.all([this.messaging.close(), this.tables.close(), this.issuer.close()]);
  }
}
