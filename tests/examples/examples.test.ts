import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { record, type Registration, valueOf } from "../support/recorder";
import "./packageByName";

const examples = resolve(__dirname, "../../examples");
const issuer = { issuer: "https://issuer.relay.dev", audience: "relay" };
const topicArn = "arn:aws:sns:eu-west-1:111122223333:relay-topic";

describe("the example", () => {
  for (const name of readdirSync(examples)) {
    it(`${name} has a README, and knows the package by its name alone`, () => {
      const files = readdirSync(join(examples, name), { recursive: true }) as string[];
      expect(files).to.include.members(["README.md", "Pulumi.yaml", "package.json", "index.ts"]);
      for (const file of files.filter((path) => /^(?!.*node_modules).*\.tsx?$/.test(path))) {
        const imports = readFileSync(join(examples, name, file), "utf8").matchAll(/from "([^"]+)"/g);
        for (const [, path = ""] of imports) {
          const isInside = !path.startsWith(".") || !join(file, "..", path).startsWith("..");
          expect(isInside, `${file} imports ${path}`).to.equal(true);
        }
      }
    });
  }

  describe("smallest", () => {
    it("registers one relay, exports where it is, and lets a role publish where one is named", async () => {
      const { registrations, outputs } = await run("smallest", { ...issuer, backendRoleName: "backend" });
      expect(typesOf(registrations, "websocket-relay:index:WebsocketRelay")).to.have.lengthOf(1);
      expect(await valueOf(outputs.topicArn)).to.equal(topicArn);
      expect(await valueOf(outputs.websocketUrl)).to.match(/^wss:/);
      expect(Object.keys(outputs)).to.deep.equal(["websocketUrl", "topicArn", "addresses"]);
      const policy = policyOf(registrations, "relay-publish-policy");
      expect(policy.role).to.equal("backend");
      expect(policy.statements).to.deep.equal([{ Effect: "Allow", Action: ["sns:Publish"], Resource: [topicArn] }]);
    });
  });

  describe("fargate-backend", () => {
    let registrations: Registration[];
    before(async () => {
      ({ registrations } = await run("fargate-backend", issuer));
    });
    const inputs = (type: string) => typesOf(registrations, type)[0]?.inputs ?? {};

    it("lets the task publish to the relay's topic, and disconnect users, by a role of its own", () => {
      const [role] = registrations.filter(({ name }) => name === "backend-task-role");
      expect(JSON.stringify(role?.inputs.assumeRolePolicy)).to.include("ecs-tasks.amazonaws.com");
      const publish = policyOf(registrations, "relay-publish-policy");
      expect(publish.role).to.equal("backend-task-role");
      expect(publish.statements).to.deep.equal([{ Effect: "Allow", Action: ["sns:Publish"], Resource: [topicArn] }]);
      expect(policyOf(registrations, "relay-disconnect-user-policy").role).to.equal("backend-task-role");
    });

    it("runs the image as that role, and tells it where the relay is", () => {
      const service = inputs("awsx:ecs:FargateService");
      const { taskRole, container } = service.taskDefinitionArgs as {
        taskRole: object;
        container: { image: string; environment: { name: string; value: string }[]; portMappings: object[] };
      };
      expect(taskRole).to.deep.equal({ roleArn: "arn:aws:iam::111122223333:role/backend-task-role" });
      expect(container.image).to.match(/backend@sha256:1$/);
      expect(container.environment).to.deep.equal([
        { name: "PORT", value: "8080" },
        { name: "TOPIC_ARN", value: topicArn },
        { name: "TABLE_NAME", value: "relay-table" },
        { name: "MANAGEMENT_ENDPOINT", value: "https://api123.execute-api.eu-west-1.amazonaws.com/live" },
      ]);
      const targetGroup = { arn: "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/backend" };
      expect(container.portMappings).to.deep.equal([{ containerPort: 8080, targetGroup }]);
    });

    it("opens the backend to no one outside the VPC", () => {
      expect(inputs("awsx:lb:ApplicationLoadBalancer").internal).to.equal(true);
    });
  });

  describe("cognito-react", () => {
    const pageOrigin = "https://app.acme.dev";
    let registrations: Registration[];
    let outputs: Record<string, pulumi.Output<unknown>>;
    before(async () => {
      const config = { signInPrefix: "acme-chat", pageOrigin, backendRoleName: "backend" };
      ({ registrations, outputs } = await run("cognito-react", config));
    });
    const inputs = (type: string) => typesOf(registrations, type)[0]?.inputs ?? {};

    it("has an app client for a page: the code flow without a secret, back to the page alone", () => {
      expect(inputs("aws:cognito/userPoolClient:UserPoolClient")).to.include({
        allowedOauthFlowsUserPoolClient: true,
        generateSecret: false,
      });
      expect(inputs("aws:cognito/userPoolClient:UserPoolClient")).to.deep.include({
        allowedOauthFlows: ["code"],
        callbackUrls: [`${pageOrigin}/`],
        logoutUrls: [`${pageOrigin}/`],
      });
    });

    it("lets in the pool's users, by that client's tokens, from that page", () => {
      const variables = variablesOf(registrations, "relay-connect");
      expect(JSON.parse(variables.AUTH ?? "")).to.deep.include({
        cognito: { userPoolId: "eu-west-1_AbCdEf123", clientIds: ["1h57kf5cpq17m0eml12example"] },
        endSessionWithToken: true,
      });
      expect(JSON.parse(variables.ALLOWED_ORIGINS ?? "")).to.include(pageOrigin);
    });

    it("tells the page where everything is, and lets the backend publish", async () => {
      expect(await valueOf(outputs.settings)).to.deep.equal({
        websocketUrl: "wss://api123.execute-api.eu-west-1.amazonaws.com/live",
        authority: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
        clientId: "1h57kf5cpq17m0eml12example",
        signOutUrl: "https://acme-chat.auth.eu-west-1.amazoncognito.com/logout",
      });
      expect(policyOf(registrations, "relay-publish-policy").role).to.equal("backend");
    });
  });

  describe("python-backend", () => {
    it("lets the backend's role publish and read its receipts, and the topic of receipts fill its queue", async () => {
      const { registrations } = await run("python-backend", {
        auth: JSON.stringify({ oidc: issuer }),
        ordering: "strict",
      });
      const publish = policyOf(registrations, "relay-publish-policy");
      expect(publish.role).to.equal("backend-role");
      expect(publish.statements).to.deep.equal([{ Effect: "Allow", Action: ["sns:Publish"], Resource: [topicArn] }]);
      const queue = "arn:aws:sqs:eu-west-1:111122223333:receipts";
      const receipts = policyOf(registrations, "backend-receipts-policy");
      expect(receipts.role).to.equal("backend-role");
      expect(receipts.statements).to.deep.equal([
        { Effect: "Allow", Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage"], Resource: queue },
      ]);
      const [subscription] = registrations.filter(
        ({ type, name }) => type === "aws:sns/topicSubscription:TopicSubscription" && name === "receipts",
      );
      expect(subscription?.inputs).to.include({ endpoint: queue, protocol: "sqs", rawMessageDelivery: true });
      expect(subscription?.inputs.topic).to.match(/relay-receipts/);
    });
  });

  describe("push-notification", () => {
    it("has receipts for what waits, and the topic of receipts fill the backend's queue with these alone", async () => {
      const { registrations } = await run("push-notification", {
        auth: JSON.stringify({ oidc: issuer }),
        waitingAfterSeconds: "60",
      });
      expect(variablesOf(registrations, "relay-expire")).to.include({ WAITING_AFTER_SECONDS: "60" });
      const queue = "arn:aws:sqs:eu-west-1:111122223333:waiting";
      const [subscription] = registrations.filter(
        ({ type, name }) => type === "aws:sns/topicSubscription:TopicSubscription" && name === "waiting",
      );
      expect(subscription?.inputs).to.include({
        endpoint: queue,
        protocol: "sqs",
        rawMessageDelivery: true,
        filterPolicy: '{"status":["waiting"]}',
      });
      expect(subscription?.inputs.topic).to.match(/relay-receipts/);
      expect(policyOf(registrations, "relay-publish-policy").role).to.equal("backend-role");
      expect(policyOf(registrations, "backend-waiting-policy").statements).to.deep.equal([
        { Effect: "Allow", Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage"], Resource: queue },
      ]);
    });
  });

  describe("ai-streaming", () => {
    it("lets in the page, keeps a history, and lets the app's server publish and nothing else", async () => {
      const { registrations, outputs } = await run("ai-streaming", {
        auth: JSON.stringify({ oidc: issuer }),
        allowedOrigins: '["https://chat.acme.dev"]',
        serverRoleName: "server",
      });
      const variables = variablesOf(registrations, "relay-connect");
      expect(JSON.parse(variables.ALLOWED_ORIGINS ?? "")).to.include("https://chat.acme.dev");
      expect(variablesOf(registrations, "relay-deliver")).to.have.property("HISTORY_TABLE_NAME");
      const policy = policyOf(registrations, "relay-publish-policy");
      expect(policy.role).to.equal("server");
      expect(policy.statements).to.deep.equal([{ Effect: "Allow", Action: ["sns:Publish"], Resource: [topicArn] }]);
      expect(Object.keys(outputs)).to.deep.equal(["websocketUrl", "topicArn", "addresses"]);
    });
  });

  describe("python-client", () => {
    it("has a relay whose sessions have one connection or several, as its config says, and asks for acknowledgements", async () => {
      const { registrations } = await run("python-client", {
        auth: JSON.stringify({ oidc: issuer }),
        connections: "all",
      });
      expect(variablesOf(registrations, "relay-connect").CONNECTIONS).to.equal("all");
      expect(typesOf(registrations, "aws:sns/topic:Topic").map(({ name }) => name)).to.include("relay-receipts-topic");
    });
  });

  describe("nextjs-backend", () => {
    it("lets in the app's pages, and lets its server publish", async () => {
      const appOrigin = "https://app.acme.dev";
      const { registrations, outputs } = await run("nextjs-backend", {
        ...issuer,
        appOrigin,
        serverRoleName: "server",
      });
      const variables = variablesOf(registrations, "relay-connect");
      expect(JSON.parse(variables.ALLOWED_ORIGINS ?? "")).to.include(appOrigin);
      expect(policyOf(registrations, "relay-publish-policy").role).to.equal("server");
      expect(Object.keys(outputs)).to.deep.equal(["websocketUrl", "topicArn", "addresses"]);
    });
  });
});

async function run(name: string, config: Record<string, string>) {
  let outputs: Record<string, pulumi.Output<unknown>> = {};
  const recorded = await record(() => {
    for (const [key, value] of Object.entries(config)) {
      pulumi.runtime.setConfig(`pulumi-websocket-relay:${key}`, value);
    }
    outputs = require(join(examples, name)) as typeof outputs;
  });
  expect(recorded.errors).to.deep.equal([]);
  return { registrations: recorded.registrations, outputs };
}

function typesOf(registrations: Registration[], type: string): Registration[] {
  return registrations.filter((each) => each.type === type);
}

function variablesOf(registrations: Registration[], name: string): Record<string, string> {
  const found = typesOf(registrations, "aws:lambda/function:Function").find((each) => each.name === name);
  return (found?.inputs.environment as { variables: Record<string, string> }).variables;
}

function policyOf(registrations: Registration[], name: string): { role: unknown; statements: unknown } {
  const found = registrations.filter((each) => each.type === "aws:iam/rolePolicy:RolePolicy" && each.name === name);
  expect(found, name).to.have.lengthOf(1);
  const { role, policy } = found[0]?.inputs ?? {};
  return { role, statements: (JSON.parse(policy as string) as { Statement: unknown }).Statement };
}
