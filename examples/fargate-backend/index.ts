import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import { WebsocketRelay } from "pulumi-websocket-relay";

const config = new pulumi.Config();
const port = 8080;

const relay = new WebsocketRelay("relay", {
  auth: { oidc: { issuer: config.require("issuer"), audience: config.require("audience") } },
  connectionIndex: false, // a new relay: no connections of release 0.1.0
});

// The backend's own rights: to publish to the relay's topic, and to cut a user off. Nothing else.
const taskRole = new aws.iam.Role("backend-task-role", {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "ecs-tasks.amazonaws.com" }),
});
relay.grantPublish(taskRole);
relay.grantDisconnectUser(taskRole);

const repository = new awsx.ecr.Repository("backend", { forceDelete: true });
const image = new awsx.ecr.Image("backend", {
  repositoryUrl: repository.url,
  context: "./app",
  platform: "linux/arm64",
});

// Internal: who reaches the backend may publish to any user, until it asks its callers who they are.
const loadBalancer = new awsx.lb.ApplicationLoadBalancer("backend", {
  internal: true,
  defaultTargetGroup: { port, healthCheck: { path: "/health" } },
});

const cluster = new aws.ecs.Cluster("backend");
new awsx.ecs.FargateService("backend", {
  cluster: cluster.arn,
  // The default VPC's subnets are public, and reach the registry and AWS only with an address of their own.
  assignPublicIp: true,
  taskDefinitionArgs: {
    taskRole: { roleArn: taskRole.arn },
    runtimePlatform: { cpuArchitecture: "ARM64", operatingSystemFamily: "LINUX" },
    container: {
      name: "backend",
      image: image.imageUri,
      cpu: 256,
      memory: 512,
      essential: true,
      portMappings: [{ containerPort: port, targetGroup: loadBalancer.defaultTargetGroup }],
      environment: [
        { name: "PORT", value: String(port) },
        { name: "TOPIC_ARN", value: relay.topicArn },
        { name: "TABLE_NAME", value: relay.tableName },
        { name: "MANAGEMENT_ENDPOINT", value: relay.managementEndpoint },
      ],
    },
  },
});

export const { websocketUrl, addresses } = relay;
export const backendHost = loadBalancer.loadBalancer.dnsName;
