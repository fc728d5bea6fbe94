import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AuthArgs, WebsocketRelay } from "pulumi-websocket-relay";

const config = new pulumi.Config();

const relay = new WebsocketRelay("relay", {
  auth: config.requireObject<AuthArgs>("auth"),
  allowedOrigins: config.getObject<string[]>("allowedOrigins"), // here for the local run's page
  delivery: "replay",
  receipts: true,
  waitingAfterSeconds: config.requireNumber("waitingAfterSeconds"),
  connectionIndex: false, // a new relay: no connections of release 0.1.0
});

// It exists, since `receipts` is true.
const receiptsTopicArn = relay.receiptsTopicArn as pulumi.Output<string>;

// The backend's queue of messages that wait for their user, which the relay's topic fills.
const waiting = new aws.sqs.Queue("waiting", { name: `${pulumi.getProject()}-${pulumi.getStack()}-waiting` });
const mayTell = new aws.sqs.QueuePolicy("waiting", {
  queueUrl: waiting.url,
  policy: pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: waiting.arn,
        Condition: { ArnEquals: { "aws:SourceArn": receiptsTopicArn } },
      },
    ],
  }),
});
new aws.sns.TopicSubscription(
  "waiting",
  {
    topic: receiptsTopicArn,
    protocol: "sqs",
    endpoint: waiting.arn,
    rawMessageDelivery: true,
    filterPolicy: JSON.stringify({ status: ["waiting"] }),
  },
  { dependsOn: [mayTell] },
);

// The backend's role, here for an ECS task: it may publish, and read what waits. Nothing else.
const role = new aws.iam.Role("backend-role", {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "ecs-tasks.amazonaws.com" }),
});
relay.grantPublish(role);
new aws.iam.RolePolicy("backend-waiting-policy", {
  role: role.name,
  policy: pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
        Resource: waiting.arn,
      },
    ],
  }),
});

export const { websocketUrl, topicArn, addresses } = relay;
export const waitingQueueUrl = waiting.url;
export const backendRoleName = role.name;
