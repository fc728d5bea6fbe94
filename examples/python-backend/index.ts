import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AuthArgs, WebsocketRelay } from "pulumi-websocket-relay";

const config = new pulumi.Config();

const relay = new WebsocketRelay("relay", {
  auth: config.requireObject<AuthArgs>("auth"),
  allowedOrigins: config.getObject<string[]>("allowedOrigins"), // here for the local run's page
  delivery: "replay",
  ordering: config.require<"standard" | "strict">("ordering"),
  receipts: true,
  connectionIndex: false, // a new relay: no connections of release 0.1.0
});

// It exists, since `receipts` is true.
const receiptsTopicArn = relay.receiptsTopicArn as pulumi.Output<string>;

// The backend's queue of receipts, to which the relay's topic may send.
const receipts = new aws.sqs.Queue("receipts", { name: `${pulumi.getProject()}-${pulumi.getStack()}-receipts` });
const mayTell = new aws.sqs.QueuePolicy("receipts", {
  queueUrl: receipts.url,
  policy: pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: receipts.arn,
        Condition: { ArnEquals: { "aws:SourceArn": receiptsTopicArn } },
      },
    ],
  }),
});
new aws.sns.TopicSubscription(
  "receipts",
  { topic: receiptsTopicArn, protocol: "sqs", endpoint: receipts.arn, rawMessageDelivery: true },
  { dependsOn: [mayTell] },
);

// The backend's role, here for an ECS task: it may publish, and read its receipts. Nothing else.
const role = new aws.iam.Role("backend-role", {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "ecs-tasks.amazonaws.com" }),
});
relay.grantPublish(role);
new aws.iam.RolePolicy("backend-receipts-policy", {
  role: role.name,
  policy: pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
        Resource: receipts.arn,
      },
    ],
  }),
});

export const { websocketUrl, topicArn, addresses } = relay;
export const receiptsQueueUrl = receipts.url;
export const backendRoleName = role.name;
