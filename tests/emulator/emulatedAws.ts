import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { region } from "../../local/account";
import { ProviderServer } from "../../local/provision/providerServer";
import { AwsRequests } from "./awsRequests";
import { Ministack, rootCredentials } from "./ministack";
import { provisionerOf } from "./provisioner";
import { apiGatewayResources } from "./resources/apiGateway";
import { cloudWatchResources } from "./resources/cloudWatch";
import { dynamodbResources } from "./resources/dynamodb";
import { iamResources } from "./resources/iam";
import { lambdaResources } from "./resources/lambda";
import { snsResources } from "./resources/sns";
import { sqsResources } from "./resources/sqs";

/** ministack with a resource provider in front of it, in the place of `aws`. */
export class EmulatedAws {
  private constructor(
    readonly ministack: Ministack,
    readonly provider: ProviderServer,
    readonly requests: AwsRequests,
    readonly dynamodb: DynamoDBClient,
    readonly sns: SNSClient,
    readonly sqs: SQSClient,
  ) {}

  static async start(): Promise<EmulatedAws> {
    const ministack = await Ministack.start();
    const { endpoint, python } = ministack;
    const client = { region, endpoint, credentials: rootCredentials };
    const [dynamodb, sns, sqs] = [new DynamoDBClient(client), new SNSClient(client), new SQSClient(client)] as const;
    const requests = new AwsRequests(endpoint);
    const provider = await ProviderServer.start(
      provisionerOf({
        ...apiGatewayResources(requests),
        ...cloudWatchResources(requests),
        ...dynamodbResources(dynamodb),
        ...iamResources(requests),
        ...lambdaResources(requests, python),
        ...snsResources(sns),
        ...sqsResources(sqs),
      }),
    );
    return new EmulatedAws(ministack, provider, requests, dynamodb, sns, sqs);
  }

  /** Of everything that exists, by the lists of the services. */
  async names(): Promise<string[]> {
    const [{ TableNames = [] }, { Topics = [] }, { QueueUrls = [] }, functions, apis, groups, rules, roles] =
      await Promise.all([
        this.dynamodb.send(new ListTablesCommand({})),
        this.sns.send(new ListTopicsCommand({})),
        this.sqs.send(new ListQueuesCommand({})),
        this.requests.rest("lambda", "GET", "/2015-03-31/functions"),
        this.requests.rest("apigateway", "GET", "/v2/apis"),
        this.requests.json("logs", "Logs_20140328.DescribeLogGroups", {}),
        this.requests.json("events", "AWSEvents.ListRules", {}),
        this.requests.query("iam", "2010-05-08", "ListRoles", {}),
      ]);
    const namesIn = (list: unknown, key: string) => (list as Record<string, string>[]).map((each) => each[key] ?? "");
    return [
      ...TableNames,
      ...Topics.map(({ TopicArn }) => TopicArn ?? ""),
      ...QueueUrls,
      ...namesIn(functions.Functions, "FunctionName"),
      ...namesIn(apis.items, "apiId"),
      ...namesIn(groups.logGroups, "logGroupName"),
      ...namesIn(rules.Rules, "Name"),
      ...[...roles.matchAll(/<RoleName>(.*?)<\/RoleName>/g)].map(([, name]) => name ?? ""),
    ];
  }

  async stop(): Promise<void> {
    [this.dynamodb, this.sns, this.sqs].forEach((client) => client.destroy());
    await this.provider.close();
    await this.ministack.stop();
  }
}
