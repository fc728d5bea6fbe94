type Values = Record<string, unknown>;

const account = "111122223333";
const region = "eu-west-1";
const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
const websocketApi = `api123.execute-api.${region}.amazonaws.com`;
const httpApi = `api456.execute-api.${region}.amazonaws.com`;
const nothing = () => ({});

/** The attributes that AWS computes for the resources of a relay, by type; each is called with the resource's name and inputs. */
export const computedByAws: Record<string, (name: string, inputs: Values) => Values> = {
  "aws:apigateway/account:Account": nothing,
  "aws:apigatewayv2/api:Api": (_, { protocolType }) => ({
    apiEndpoint: protocolType === "HTTP" ? `https://${httpApi}` : `wss://${websocketApi}`,
    executionArn: arn("execute-api", protocolType === "HTTP" ? "api456" : "api123"),
  }),
  "aws:apigatewayv2/apiMapping:ApiMapping": nothing,
  "aws:apigatewayv2/deployment:Deployment": nothing,
  "aws:apigatewayv2/domainName:DomainName": () => ({
    domainNameConfiguration: {
      targetDomainName: `d-abc123.execute-api.${region}.amazonaws.com`,
      hostedZoneId: "ZLY8HYME6SFDD",
    },
  }),
  "aws:apigatewayv2/integration:Integration": nothing,
  "aws:apigatewayv2/integrationResponse:IntegrationResponse": nothing,
  "aws:apigatewayv2/route:Route": nothing,
  "aws:apigatewayv2/routeResponse:RouteResponse": nothing,
  "aws:apigatewayv2/stage:Stage": (_, { name }) => ({
    invokeUrl: name === "$default" ? `https://${httpApi}/` : `wss://${websocketApi}/live`,
  }),
  "aws:cloudwatch/dashboard:Dashboard": nothing,
  "aws:cloudwatch/eventRule:EventRule": (name) => ({ name, arn: arn("events", `rule/${name}`) }),
  "aws:cloudwatch/eventTarget:EventTarget": nothing,
  "aws:cloudwatch/logGroup:LogGroup": (name) => ({ name, arn: arn("logs", `log-group:${name}`) }),
  "aws:cloudwatch/metricAlarm:MetricAlarm": (name) => ({ arn: arn("cloudwatch", `alarm:${name}`) }),
  "aws:dynamodb/table:Table": (name) => ({ name, arn: arn("dynamodb", `table/${name}`) }),
  "aws:iam/role:Role": (name) => ({ name, arn: `arn:aws:iam::${account}:role/${name}` }),
  "aws:iam/rolePolicy:RolePolicy": nothing,
  "aws:lambda/eventSourceMapping:EventSourceMapping": nothing,
  "aws:lambda/function:Function": (name) => ({
    name,
    arn: arn("lambda", `function:${name}`),
    invokeArn: `invoke:${name}`,
  }),
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": nothing,
  "aws:lambda/permission:Permission": nothing,
  "aws:route53/record:Record": nothing,
  "aws:sns/topic:Topic": (name) => ({ arn: arn("sns", name) }),
  "aws:sns/topicPolicy:TopicPolicy": nothing,
  "aws:sns/topicSubscription:TopicSubscription": nothing,
  "aws:sqs/queue:Queue": (name) => ({
    name,
    url: `https://sqs.${region}.amazonaws.com/${account}/${name}`,
    arn: arn("sqs", name),
  }),
  "aws:sqs/queuePolicy:QueuePolicy": nothing,
  "pulumi:providers:aws": nothing,
};

const attributes = { caller_id: "S", context: "S", connection_id: "S", expiry_shard: "S", token_expires_at: "N" };

/** The answers of the provider functions that a relay, or almost every program, calls. */
export const answeredByAws: Record<string, (inputs: Values) => Values> = {
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({
    accountId: account,
    arn: `arn:aws:iam::${account}:user/test`,
    id: account,
    userId: "AIDATEST",
  }),
  "aws:index/getPartition:getPartition": () => ({
    partition: "aws",
    dnsSuffix: "amazonaws.com",
    id: "aws",
    reverseDnsPrefix: "com.amazonaws",
  }),
  "aws:index/getRegion:getRegion": () => ({
    region,
    name: region,
    id: region,
    endpoint: `ec2.${region}.amazonaws.com`,
    description: "Europe (Ireland)",
  }),
  // The table of `tableName`, with everything that the relay needs of it.
  "aws:dynamodb/getTable:getTable": ({ name }) => ({
    name,
    arn: arn("dynamodb", `table/${String(name)}`),
    hashKey: "caller_id",
    rangeKey: "context",
    attributes: Object.entries(attributes).map(([name, type]) => ({ name, type })),
    globalSecondaryIndexes: [
      { name: "connection", hashKey: "connection_id" },
      { name: "token-expiry", hashKey: "expiry_shard", rangeKey: "token_expires_at" },
    ],
    ttl: { attributeName: "expiration_date", enabled: true },
  }),
};
