import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { WebsocketRelay } from "../../components";
import { record, type Registration, valueOf } from "./recorder";

const auth = { oidc: { issuer: "https://issuer.relay.dev", audience: "relay" } };

/** What `new WebsocketRelay("relay", { auth, … })` registers, by type token and name. */
const expected = {
  "websocket-relay:index:WebsocketRelay": ["relay"],
  "websocket-relay:index:SessionTable": ["relay-session-table"],
  "websocket-relay:index:Publisher": ["relay-publisher"],
  "websocket-relay:index:Gateway": ["relay-gateway"],
  "websocket-relay:index:CallbackFunction": ["relay-connect", "relay-deliver", "relay-disconnect"],
  "aws:apigatewayv2/api:Api": ["relay-api"],
  "aws:apigatewayv2/deployment:Deployment": ["relay-deployment"],
  "aws:apigatewayv2/integration:Integration": [
    "relay-connect-integration",
    "relay-disconnect-integration",
    "relay-ping-integration",
  ],
  "aws:apigatewayv2/integrationResponse:IntegrationResponse": ["relay-ping-integration-response"],
  "aws:apigatewayv2/route:Route": ["relay-connect-route", "relay-disconnect-route", "relay-ping-route"],
  "aws:apigatewayv2/routeResponse:RouteResponse": ["relay-ping-route-response"],
  "aws:apigatewayv2/stage:Stage": ["relay-stage"],
  "aws:cloudwatch/logGroup:LogGroup": ["relay-connect-logs", "relay-deliver-logs", "relay-disconnect-logs"],
  "aws:dynamodb/table:Table": ["relay-table"],
  "aws:iam/role:Role": ["relay-connect-role", "relay-deliver-role", "relay-disconnect-role"],
  "aws:iam/rolePolicy:RolePolicy": ["relay-connect-policy", "relay-deliver-policy", "relay-disconnect-policy"],
  "aws:lambda/eventSourceMapping:EventSourceMapping": ["relay-deliver-mapping"],
  "aws:lambda/function:Function": ["relay-connect", "relay-deliver", "relay-disconnect"],
  "aws:lambda/permission:Permission": ["relay-connect-permission", "relay-disconnect-permission"],
  "aws:sns/topic:Topic": ["relay-topic"],
  "aws:sns/topicSubscription:TopicSubscription": ["relay-subscription"],
  "aws:sqs/queue:Queue": ["relay-dead-letter-queue", "relay-queue", "relay-subscription-dead-letter-queue"],
  "aws:sqs/queuePolicy:QueuePolicy": ["relay-queue-policy", "relay-subscription-dead-letter-queue-policy"],
};

describe("WebsocketRelay", () => {
  let relay!: WebsocketRelay;
  let registrations: Registration[];
  const dependencies: Record<string, string[]> = {};

  /** `dependsOn` does not reach mocks; transformations of a component are called for each of its children. */
  const recordDependencies: pulumi.ResourceTransformation = ({ name, opts }) => {
    const named = opts.dependsOn as { __name: string }[] | undefined;
    if (named) dependencies[name] = named.map(({ __name }) => __name).sort();
    return undefined;
  };

  before(async () => {
    const recorded = await record(() => {
      const args = { auth, allowedOrigins: ["https://app.relay.dev"], maximumConcurrency: 4, tags: { team: "chat" } };
      relay = new WebsocketRelay("relay", args, { transformations: [recordDependencies] });
    });
    expect(recorded.errors).to.deep.equal([]);
    ({ registrations } = recorded);
  });

  const inputs = (type: string, name: string): Record<string, unknown> => {
    const found = registrations.filter((each) => each.type === type && each.name === name);
    expect(found, `${type} ${name}`).to.have.lengthOf(1);
    return found[0]?.inputs ?? {};
  };
  const variables = (name: string) =>
    (inputs("aws:lambda/function:Function", name).environment as { variables: Record<string, string> }).variables;
  const statements = (name: string): { Effect: string; Action: string[]; Resource: string[] }[] =>
    (JSON.parse(inputs("aws:iam/rolePolicy:RolePolicy", name).policy as string) as { Statement: [] }).Statement;

  it("registers exactly the parts of the flow, and nothing else", () => {
    expect(byType(registrations)).to.deep.equal(expected);
  });

  it("keys the table by user and context, finds by connection, expires by expiration_date and bills by request", () => {
    expect(inputs("aws:dynamodb/table:Table", "relay-table")).to.deep.equal({
      billingMode: "PAY_PER_REQUEST",
      hashKey: "caller_id",
      rangeKey: "context",
      attributes: [
        { name: "caller_id", type: "S" },
        { name: "context", type: "S" },
        { name: "connection_id", type: "S" },
      ],
      globalSecondaryIndexes: [
        {
          name: "connection",
          keySchemas: [{ attributeName: "connection_id", keyType: "HASH" }],
          projectionType: "KEYS_ONLY",
        },
      ],
      ttl: { attributeName: "expiration_date", enabled: true },
      tags: { team: "chat" },
    });
  });

  it("gives the retry queue its time-outs, its retention and the redrive net, encrypted with the key SNS can use", () => {
    const queue = inputs("aws:sqs/queue:Queue", "relay-queue");
    expect(queue).to.deep.equal({
      visibilityTimeoutSeconds: 180,
      messageRetentionSeconds: 345_600,
      redrivePolicy: queue.redrivePolicy,
      sqsManagedSseEnabled: true,
      tags: { team: "chat" },
    });
    expect(JSON.parse(queue.redrivePolicy as string)).to.deep.equal({
      deadLetterTargetArn: "arn:aws:sqs:eu-west-1:111122223333:relay-dead-letter-queue",
      maxReceiveCount: 71,
    });
  });

  it("keeps dead letters for SQS's longest retention", () => {
    for (const name of ["relay-dead-letter-queue", "relay-subscription-dead-letter-queue"]) {
      expect(inputs("aws:sqs/queue:Queue", name)).to.deep.equal({
        messageRetentionSeconds: 1_209_600,
        sqsManagedSseEnabled: true,
        tags: { team: "chat" },
      });
    }
  });

  it("lets the topic, and nobody else, send to the retry queue and to the subscription's dead-letter queue", () => {
    for (const name of ["relay-queue", "relay-subscription-dead-letter-queue"]) {
      const policy = inputs("aws:sqs/queuePolicy:QueuePolicy", `${name}-policy`);
      expect(policy.queueUrl).to.equal(`https://sqs.eu-west-1.amazonaws.com/111122223333/${name}`);
      expect(JSON.parse(policy.policy as string)).to.deep.equal({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "sns.amazonaws.com" },
            Action: "sqs:SendMessage",
            Resource: `arn:aws:sqs:eu-west-1:111122223333:${name}`,
            Condition: { ArnEquals: { "aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:relay-topic" } },
          },
        ],
      });
    }
  });

  it("subscribes the retry queue raw, with a dead-letter queue of the subscription's own", () => {
    const subscription = inputs("aws:sns/topicSubscription:TopicSubscription", "relay-subscription");
    expect(subscription).to.deep.equal({
      topic: "arn:aws:sns:eu-west-1:111122223333:relay-topic",
      protocol: "sqs",
      endpoint: "arn:aws:sqs:eu-west-1:111122223333:relay-queue",
      rawMessageDelivery: true,
      redrivePolicy: subscription.redrivePolicy,
    });
    expect(JSON.parse(subscription.redrivePolicy as string)).to.deep.equal({
      deadLetterTargetArn: "arn:aws:sqs:eu-west-1:111122223333:relay-subscription-dead-letter-queue",
    });
  });

  it("runs every function on nodejs24.x and arm64 with JSON logs in its own log group", () => {
    for (const name of ["relay-connect", "relay-disconnect", "relay-deliver"]) {
      expect(inputs("aws:lambda/function:Function", name)).to.deep.include({
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        role: `arn:aws:iam::111122223333:role/${name}-role`,
        loggingConfig: { logFormat: "JSON", logGroup: `${name}-logs` },
        tags: { team: "chat" },
      });
      expect(inputs("aws:cloudwatch/logGroup:LogGroup", `${name}-logs`)).to.deep.include({ retentionInDays: 30 });
    }
  });

  it("gives each function the environment that it needs, and no more", () => {
    expect(variables("relay-connect")).to.deep.equal({
      TABLE_NAME: "relay-table",
      SESSION_TTL_SECONDS: "10800",
      AUTH: JSON.stringify({ userClaim: "sub", cookieName: "access_token", ...auth }),
      ALLOWED_ORIGINS: JSON.stringify(["https://api123.execute-api.eu-west-1.amazonaws.com", "https://app.relay.dev"]),
    });
    expect(variables("relay-disconnect")).to.deep.equal({
      TABLE_NAME: "relay-table",
      CONNECTION_INDEX_NAME: "connection",
    });
    expect(variables("relay-deliver")).to.deep.equal({
      TABLE_NAME: "relay-table",
      MANAGEMENT_ENDPOINT: "https://api123.execute-api.eu-west-1.amazonaws.com/live",
      QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/111122223333/relay-queue",
      DEAD_LETTER_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/111122223333/relay-dead-letter-queue",
      MAX_ATTEMPTS: "66",
      BACKOFF_MIN_SECONDS: "2",
      BACKOFF_MAX_SECONDS: "120",
    });
  });

  it("grants each role exact actions on exact ARNs in one inline policy", () => {
    const table = "arn:aws:dynamodb:eu-west-1:111122223333:table/relay-table";
    const logs = (name: string) => ({
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: [`arn:aws:logs:eu-west-1:111122223333:log-group:${name}-logs:*`],
    });
    expect(statements("relay-connect-policy")).to.deep.equal([
      { Effect: "Allow", Action: ["dynamodb:PutItem"], Resource: [table] },
      logs("relay-connect"),
    ]);
    expect(statements("relay-disconnect-policy")).to.deep.equal([
      { Effect: "Allow", Action: ["dynamodb:Query"], Resource: [`${table}/index/connection`] },
      { Effect: "Allow", Action: ["dynamodb:DeleteItem"], Resource: [table] },
      logs("relay-disconnect"),
    ]);
    const connections = "arn:aws:execute-api:eu-west-1:111122223333:api123/live";
    expect(statements("relay-deliver-policy")).to.deep.equal([
      {
        Effect: "Allow",
        Action: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:DeleteItem"],
        Resource: [table],
      },
      {
        Effect: "Allow",
        Action: ["execute-api:ManageConnections"],
        Resource: ["POST", "GET", "DELETE"].map((method) => `${connections}/${method}/@connections/*`),
      },
      {
        Effect: "Allow",
        Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
        Resource: ["arn:aws:sqs:eu-west-1:111122223333:relay-queue"],
      },
      {
        Effect: "Allow",
        Action: ["sqs:SendMessage"],
        Resource: ["arn:aws:sqs:eu-west-1:111122223333:relay-dead-letter-queue"],
      },
      logs("relay-deliver"),
    ]);
  });

  it("attaches no managed policy and trusts Lambda alone", () => {
    for (const { inputs: role } of registrations.filter(({ type }) => type === "aws:iam/role:Role")) {
      expect(Object.keys(role).sort()).to.deep.equal(["assumeRolePolicy", "tags"]);
      const trust =
        typeof role.assumeRolePolicy === "string" ? JSON.parse(role.assumeRolePolicy) : role.assumeRolePolicy;
      expect(
        (trust as { Statement: { Principal: unknown }[] }).Statement.map(({ Principal }) => Principal),
      ).to.deep.equal([{ Service: "lambda.amazonaws.com" }]);
    }
  });

  it("routes $connect and $disconnect to their functions, each with a permission for its own route", () => {
    for (const part of ["connect", "disconnect"]) {
      expect(inputs("aws:apigatewayv2/integration:Integration", `relay-${part}-integration`)).to.deep.equal({
        apiId: "relay-api-id",
        integrationType: "AWS_PROXY",
        integrationMethod: "POST",
        integrationUri: `invoke:relay-${part}`,
      });
      expect(inputs("aws:apigatewayv2/route:Route", `relay-${part}-route`)).to.deep.equal({
        apiId: "relay-api-id",
        routeKey: `$${part}`,
        target: `integrations/relay-${part}-integration-id`,
      });
      expect(inputs("aws:lambda/permission:Permission", `relay-${part}-permission`)).to.deep.equal({
        action: "lambda:InvokeFunction",
        function: `relay-${part}`,
        principal: "apigateway.amazonaws.com",
        sourceArn: `arn:aws:execute-api:eu-west-1:111122223333:api123/*/$${part}`,
      });
    }
  });

  it("answers a ping without a function", () => {
    expect(inputs("aws:apigatewayv2/integration:Integration", "relay-ping-integration")).to.deep.equal({
      apiId: "relay-api-id",
      integrationType: "MOCK",
      passthroughBehavior: "WHEN_NO_MATCH",
      templateSelectionExpression: "\\$default",
      requestTemplates: { $default: '{"statusCode":200}' },
    });
    expect(
      inputs("aws:apigatewayv2/integrationResponse:IntegrationResponse", "relay-ping-integration-response"),
    ).to.deep.equal({
      apiId: "relay-api-id",
      integrationId: "relay-ping-integration-id",
      integrationResponseKey: "/200/",
      templateSelectionExpression: "\\$default",
      responseTemplates: { $default: '{"type":"pong"}' },
    });
    expect(inputs("aws:apigatewayv2/route:Route", "relay-ping-route")).to.deep.include({
      routeKey: "ping",
      routeResponseSelectionExpression: "$default",
    });
    expect(inputs("aws:apigatewayv2/routeResponse:RouteResponse", "relay-ping-route-response")).to.deep.include({
      routeId: "relay-ping-route-id",
      routeResponseKey: "$default",
    });
  });

  it("sets both throttles of the stage, since an omitted one would refuse everything", () => {
    expect(inputs("aws:apigatewayv2/stage:Stage", "relay-stage")).to.deep.equal({
      apiId: "relay-api-id",
      name: "live",
      deploymentId: "relay-deployment-id",
      defaultRouteSettings: { throttlingRateLimit: 500, throttlingBurstLimit: 500 },
      tags: { team: "chat" },
    });
  });

  it("creates in an order in which nothing is used before it works", () => {
    const responses = ["relay-ping-integration-response", "relay-ping-route-response"];
    const parts = ["connect", "disconnect", "ping"].flatMap((part) => [
      `relay-${part}-route`,
      `relay-${part}-integration`,
    ]);
    expect(dependencies).to.deep.equal({
      // A deployment is a snapshot of what is there.
      "relay-deployment": [...parts, ...responses].sort(),
      "relay-stage": ["relay-connect-permission", "relay-disconnect-permission"],
      "relay-subscription": ["relay-queue-policy", "relay-subscription-dead-letter-queue-policy"],
      "relay-connect": ["relay-connect-policy"],
      "relay-disconnect": ["relay-disconnect-policy"],
      "relay-deliver": ["relay-deliver-policy"],
    });
  });

  it("maps the retry queue to deliver with partial failures and a bound on concurrency", () => {
    expect(inputs("aws:lambda/eventSourceMapping:EventSourceMapping", "relay-deliver-mapping")).to.deep.equal({
      eventSourceArn: "arn:aws:sqs:eu-west-1:111122223333:relay-queue",
      functionName: "arn:aws:lambda:eu-west-1:111122223333:function:relay-deliver",
      batchSize: 10,
      maximumBatchingWindowInSeconds: 0,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 4 },
      tags: { team: "chat" },
    });
  });

  it("outputs where to connect, where to publish, and for how long a message is retried", async () => {
    const outputs = {
      websocketUrl: await valueOf(relay.websocketUrl),
      managementEndpoint: await valueOf(relay.managementEndpoint),
      topicArn: await valueOf(relay.topicArn),
      queueUrl: await valueOf(relay.queueUrl),
      deadLetterQueueUrl: await valueOf(relay.deadLetterQueueUrl),
      subscriptionDeadLetterQueueUrl: await valueOf(relay.subscriptionDeadLetterQueueUrl),
      tableName: await valueOf(relay.tableName),
      retryWindowSeconds: relay.retryWindowSeconds,
    };
    expect(outputs).to.deep.equal({
      websocketUrl: "wss://api123.execute-api.eu-west-1.amazonaws.com/live",
      managementEndpoint: "https://api123.execute-api.eu-west-1.amazonaws.com/live",
      topicArn: "arn:aws:sns:eu-west-1:111122223333:relay-topic",
      queueUrl: "https://sqs.eu-west-1.amazonaws.com/111122223333/relay-queue",
      deadLetterQueueUrl: "https://sqs.eu-west-1.amazonaws.com/111122223333/relay-dead-letter-queue",
      subscriptionDeadLetterQueueUrl:
        "https://sqs.eu-west-1.amazonaws.com/111122223333/relay-subscription-dead-letter-queue",
      tableName: "relay-table",
      retryWindowSeconds: { shortest: 3603, longest: 7206 },
    });
  });

  it("grants a backend's role to publish to the topic, and nothing else", async () => {
    const granted = await record(() => {
      const role = new aws.iam.Role("backend", { assumeRolePolicy: "{}" });
      const other = new WebsocketRelay("relay", { auth });
      other.grantPublish(role);
      other.grantPublish(role, "publish-again");
    });
    expect(granted.errors).to.deep.equal([]);
    const policies = granted.registrations.filter(
      ({ name }) => /^relay-publish/.test(name) && name !== "relay-publisher",
    );
    expect(policies.map(({ name, inputs: { role } }) => [name, role])).to.have.deep.members([
      ["relay-publish-policy", "backend"],
      ["relay-publish-again-policy", "backend"],
    ]);
    expect(JSON.parse(policies[0]?.inputs.policy as string)).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["sns:Publish"], Resource: ["arn:aws:sns:eu-west-1:111122223333:relay-topic"] },
      ],
    });
  });

  it("registers the same in a preview, where what AWS computes is unknown", async () => {
    const preview = await record(() => new WebsocketRelay("relay", { auth }), { preview: true });
    expect(preview.errors).to.deep.equal([]);
    expect(byType(preview.registrations)).to.deep.equal(expected);
    const queue = preview.registrations.find(({ name }) => name === "relay-queue");
    expect(queue?.inputs).to.include({ visibilityTimeoutSeconds: 180 });
    expect(queue?.inputs.redrivePolicy).to.equal(pulumi.unknown);
  });

  it("lets two relays live in one program", async () => {
    const two = await record(() => [new WebsocketRelay("one", { auth }), new WebsocketRelay("two", { auth })]);
    expect(two.errors).to.deep.equal([]);
    const keys = two.registrations.map(({ type, name }) => `${type} ${name}`);
    expect(new Set(keys)).to.have.lengthOf(2 * Object.values(expected).flat().length);
  });

  it("registers nothing when an argument is refused", async () => {
    let error: unknown;
    const refused = await record(() => {
      try {
        new WebsocketRelay("relay", { auth, maxAttempts: 0 });
      } catch (thrown) {
        error = thrown;
      }
    });
    expect(pulumi.InputPropertyError.isInstance(error)).to.equal(true);
    expect(refused.registrations).to.deep.equal([]);
  });

  it("fails, naming the argument, when an output turns out to be refused", async () => {
    const issuer = pulumi.output("https://issuer.example.com");
    const program = () => new WebsocketRelay("relay", { auth: { oidc: { issuer, audience: "relay" } } });
    // Each of them of the output, of what is made of it, or of the registration that it goes into.
    const late = await record(program, { awaitedErrors: 5 });
    expect(late.errors.map(String).join("\n")).to.include("auth.oidc.issuer");
    expect(late.registrations.map(({ name, type }) => `${type} ${name}`)).not.to.include(
      "aws:lambda/function:Function relay-connect",
    );
  });
});

function byType(registrations: Registration[]): Record<string, string[]> {
  const types: Record<string, string[]> = {};
  for (const { type, name } of registrations) {
    types[type] = [...(types[type] ?? []), name].sort();
  }
  return types;
}
