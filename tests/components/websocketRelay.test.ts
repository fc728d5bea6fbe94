import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { WebsocketRelay } from "../../components";
import { record, valueOf } from "../support/recorder";
import { auth, byType, type RelayRun, runRelay } from "../support/relayRun";

/** What `new WebsocketRelay("relay", { auth, … })` registers, by type token and name. */
const expected = {
  "websocket-relay:index:WebsocketRelay": ["relay"],
  "websocket-relay:index:SessionTable": ["relay-session-table"],
  "websocket-relay:index:Publisher": ["relay-publisher"],
  "websocket-relay:index:Gateway": ["relay-gateway"],
  "websocket-relay:index:Monitoring": ["relay-monitoring"],
  "websocket-relay:index:CallbackFunction": ["relay-connect", "relay-deliver", "relay-disconnect"],
  "aws:apigatewayv2/api:Api": ["relay-api"],
  "aws:apigatewayv2/deployment:Deployment": ["relay-deployment"],
  "aws:apigatewayv2/integration:Integration": [
    "relay-connect-integration",
    "relay-disconnect-integration",
    "relay-ping-integration",
  ],
  "aws:apigatewayv2/integrationResponse:IntegrationResponse": ["relay-ping-integration-response"],
  "aws:apigatewayv2/route:Route": [
    "relay-acknowledge-route",
    "relay-connect-route",
    "relay-disconnect-route",
    "relay-ping-route",
    "relay-resume-route",
  ],
  "aws:apigatewayv2/routeResponse:RouteResponse": ["relay-ping-route-response"],
  "aws:apigatewayv2/stage:Stage": ["relay-stage"],
  "aws:cloudwatch/dashboard:Dashboard": ["relay-dashboard"],
  "aws:cloudwatch/metricAlarm:MetricAlarm": [
    "relay-age-at-failed-attempt-alarm",
    "relay-connect-errors-alarm",
    "relay-connect-throttles-alarm",
    "relay-dead-letters-alarm",
    "relay-dead-letters-user-away-alarm",
    "relay-deliver-behind-alarm",
    "relay-deliver-errors-alarm",
    "relay-deliver-throttles-alarm",
    "relay-disconnect-errors-alarm",
    "relay-disconnect-throttles-alarm",
    "relay-failed-handshakes-alarm",
    "relay-failed-notifications-alarm",
    "relay-invisible-messages-alarm",
    "relay-lost-notifications-alarm",
    "relay-refused-handshakes-alarm",
    "relay-subscription-dead-letters-alarm",
  ],
  "aws:cloudwatch/logGroup:LogGroup": ["relay-connect-logs", "relay-deliver-logs", "relay-disconnect-logs"],
  "aws:dynamodb/table:Table": ["relay-table"],
  "aws:iam/role:Role": ["relay-connect-role", "relay-deliver-role", "relay-disconnect-role"],
  "aws:iam/rolePolicy:RolePolicy": ["relay-connect-policy", "relay-deliver-policy", "relay-disconnect-policy"],
  "aws:lambda/eventSourceMapping:EventSourceMapping": ["relay-deliver-mapping"],
  "aws:lambda/function:Function": ["relay-connect", "relay-deliver", "relay-disconnect"],
  "aws:lambda/permission:Permission": ["relay-connect-permission", "relay-disconnect-permission"],
  "aws:sns/topic:Topic": ["relay-topic"],
  "aws:sns/topicPolicy:TopicPolicy": ["relay-topic-policy"],
  "aws:sns/topicSubscription:TopicSubscription": ["relay-subscription"],
  "aws:sqs/queue:Queue": ["relay-dead-letter-queue", "relay-queue", "relay-subscription-dead-letter-queue"],
  "aws:sqs/queuePolicy:QueuePolicy": [
    "relay-dead-letter-queue-policy",
    "relay-queue-policy",
    "relay-subscription-dead-letter-queue-policy",
  ],
};

describe("WebsocketRelay", () => {
  let run: RelayRun;

  before(async () => {
    run = await runRelay({});
  });

  it("registers exactly the parts of the flow, and nothing else", () => {
    expect(byType(run.registrations)).to.deep.equal(expected);
  });

  it("creates in an order in which nothing is used before it works", () => {
    const responses = ["relay-ping-integration-response", "relay-ping-route-response"];
    const routes = ["connect", "disconnect", "resume", "acknowledge", "ping"].map((part) => `relay-${part}-route`);
    const integrations = ["connect", "disconnect", "ping"].map((part) => `relay-${part}-integration`);
    expect(run.dependencies).to.deep.equal({
      // A deployment is a snapshot of what is there.
      "relay-deployment": [...routes, ...integrations, ...responses].sort(),
      "relay-stage": ["relay-connect-permission", "relay-disconnect-permission"],
      "relay-subscription": ["relay-queue-policy", "relay-subscription-dead-letter-queue-policy"],
      "relay-connect": ["relay-connect-policy"],
      "relay-disconnect": ["relay-disconnect-policy"],
      "relay-deliver": ["relay-deliver-policy"],
    });
  });

  it("outputs where to connect, where to publish, and for how long a message is retried", async () => {
    const outputs = {
      websocketUrl: await valueOf(run.relay.websocketUrl),
      managementEndpoint: await valueOf(run.relay.managementEndpoint),
      topicArn: await valueOf(run.relay.topicArn),
      queueUrl: await valueOf(run.relay.queueUrl),
      deadLetterQueueUrl: await valueOf(run.relay.deadLetterQueueUrl),
      subscriptionDeadLetterQueueUrl: await valueOf(run.relay.subscriptionDeadLetterQueueUrl),
      tableName: await valueOf(run.relay.tableName),
      retryWindowSeconds: run.relay.retryWindowSeconds,
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

  it("registers the same in a preview, where what AWS computes is unknown", async () => {
    const preview = await record(() => new WebsocketRelay("relay", { auth }), { preview: true });
    expect(preview.errors).to.deep.equal([]);
    expect(byType(preview.registrations)).to.deep.equal(expected);
    const queue = preview.registrations.find(({ name }) => name === "relay-queue");
    expect(queue?.inputs).to.include({ visibilityTimeoutSeconds: 180 });
    expect(queue?.inputs.redrivePolicy).to.equal(pulumi.unknown);
  });

  it("still answers to the sweepers' deprecated names", async () => {
    const { relay } = await runRelay({ delivery: "replay", auth: { ...auth, endSessionWithToken: true } });
    expect(relay.sessionSweeper).to.be.an.instanceOf(pulumi.ComponentResource);
    expect(relay.sweep).to.equal(relay.sessionSweeper);
    expect(relay.replay?.historySweeper).to.be.an.instanceOf(pulumi.ComponentResource);
    expect(relay.replay?.expire).to.equal(relay.replay?.historySweeper);
    expect([run.relay.sweep, run.relay.replay]).to.deep.equal([undefined, undefined]);
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
