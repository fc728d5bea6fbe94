import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { WebsocketRelay } from "../../components";
import { relayMocks, runUnderMocks, valueOf } from "../../testing";
import { refusal } from "../support/refusal";

const auth = { oidc: { issuer: "https://issuer.relay.dev", audience: "relay" } };
const newRelay = () => new WebsocketRelay("relay", { auth });

describe("runUnderMocks", () => {
  it("constructs a relay, whose outputs have values, and tells what was registered", async () => {
    const { result: relay, registered, inputs } = await runUnderMocks(newRelay);

    expect(await valueOf(relay.websocketUrl)).to.equal("wss://api123.execute-api.eu-west-1.amazonaws.com/live");
    expect(await valueOf(relay.addresses)).to.include({
      topicArn: "arn:aws:sns:eu-west-1:111122223333:relay-topic",
      relayName: "project-stack-relay",
    });
    const queues = registered("aws:sqs/queue:Queue").map(({ name }) => name);
    expect(queues).to.have.members(["relay-queue", "relay-dead-letter-queue", "relay-subscription-dead-letter-queue"]);
    expect(inputs("aws:lambda/eventSourceMapping:EventSourceMapping", "relay-deliver-mapping")).to.include({
      eventSourceArn: "arn:aws:sqs:eu-west-1:111122223333:relay-queue",
      batchSize: 10,
    });
  });

  it("constructs every kind of relay: replay, in strict order, with receipts, and with a table and a domain of one's own", async () => {
    const { result, registered } = await runUnderMocks(() => [
      new WebsocketRelay("replay", {
        auth: { ...auth, endSessionWithToken: true },
        delivery: "replay",
        ordering: "strict",
        receipts: true,
        gatewayLogs: { accountRole: "create" },
        customDomain: {
          domainName: "ws.relay.dev",
          certificateArn: "arn:aws:acm:eu-west-1:444455556666:certificate/0a1b2c3d",
          hostedZoneId: "Z1",
        },
      }),
      new WebsocketRelay("existing", { auth: { ...auth, endSessionWithToken: true }, tableName: "sessions" }),
    ]);
    expect(await valueOf(result[0]?.websocketUrl)).to.equal("wss://ws.relay.dev");
    expect(await valueOf(result[1]?.tableName)).to.equal("sessions");
    expect(registered("aws:sns/topicSubscription:TopicSubscription")).to.have.lengthOf(2);
  });

  it("gives a resource the id that `resources` says, such as a user pool that the relay is to check", async () => {
    const program = () => {
      const pool = new aws.cognito.UserPool("users");
      new WebsocketRelay("relay", {
        auth: { cognito: { userPoolId: pool.id, clientIds: ["1h57kf5cpq17m0eml12example"] } },
      });
      return pool.id;
    };
    const userPool = "aws:cognito/userPool:UserPool";
    const { result } = await runUnderMocks(program, {
      resources: { [userPool]: () => ({ id: "eu-west-1_AbCdEf123" }) },
    });
    expect(await valueOf(result)).to.equal("eu-west-1_AbCdEf123");
  });

  it("answers what almost every program asks AWS for: account, region and partition", async () => {
    const { result } = await runUnderMocks(() => ({
      account: aws.getCallerIdentityOutput().accountId,
      region: aws.getRegionOutput().region,
      partition: aws.getPartitionOutput().partition,
    }));
    expect(await valueOf(pulumi.output(result))).to.deep.equal({
      account: "111122223333",
      region: "eu-west-1",
      partition: "aws",
    });
  });

  it("gives a role that is found by its name that name", async () => {
    const { inputs } = await runUnderMocks(() => newRelay().grantPublish(aws.iam.Role.get("backend", "backend-role")));
    expect(inputs("aws:iam/rolePolicy:RolePolicy", "relay-publish-policy").role).to.equal("backend-role");
  });

  it("gives the program the project, the stack and the config that it is told", async () => {
    const options = { project: "chat", stack: "prod", config: { "chat:issuer": "https://login.acme.dev" } };
    const { result } = await runUnderMocks(
      () => `${pulumi.getProject()} ${pulumi.getStack()} ${new pulumi.Config().require("issuer")}`,
      options,
    );
    expect(result).to.equal("chat prod https://login.acme.dev");
  });

  it("leaves unknown in a preview what AWS computes", async () => {
    const { result: relay, registered } = await runUnderMocks(newRelay, { preview: true });
    expect(await valueOf(relay.topicArn)).to.equal(undefined);
    expect(registered("aws:sns/topic:Topic")).to.have.lengthOf(1);
    expect(registered("aws:sns/topicSubscription:TopicSubscription")[0]?.inputs.topic).to.satisfy(
      pulumi.containsUnknowns,
    );
  });

  it("refuses a resource that is not foreseen, and takes it with an answer for it", async () => {
    const program = () => new aws.s3.Bucket("files");
    const error = await refusal(runUnderMocks(program));
    expect(error.message).to.match(
      /^these mocks have no answer for the resource aws:s3\/bucket:Bucket \(files\)\. Fix: .*`resources`\.$/,
    );

    const resources = { "aws:s3/bucket:Bucket": (name: string) => ({ arn: `arn:aws:s3:::${name}` }) };
    const { result: bucket } = await runUnderMocks(program, { resources });
    expect(await valueOf(bucket.arn)).to.equal("arn:aws:s3:::files");
  });

  it("refuses a call that is not foreseen, and takes it with an answer for it", async () => {
    const program = () => aws.ssm.getParameterOutput({ name: "issuer" }).value;
    const error = await refusal(runUnderMocks(program));
    expect(error.message).to.match(
      /^these mocks have no answer for the call of aws:ssm\/getParameter:getParameter\. Fix: .*`calls`\.$/,
    );

    const calls = { "aws:ssm/getParameter:getParameter": ({ name }: object & { name?: unknown }) => ({ value: name }) };
    expect(await valueOf((await runUnderMocks(program, { calls })).result)).to.equal("issuer");
  });

  it("rejects where the program throws, and where one of its outputs fails, with that error", async () => {
    const thrown = await refusal(runUnderMocks(() => new WebsocketRelay("relay", {} as never)));
    expect(thrown.message).to.include("auth");
    const failed = await refusal(
      runUnderMocks(() => new aws.sqs.Queue("jobs", { name: pulumi.output("a").apply(() => fail("no name")) })),
    );
    expect(failed.message).to.include("no name");
  });

  it("keeps an error, and a config, from the program that runs next", async () => {
    const late = { oidc: { ...auth.oidc, issuer: pulumi.output("no URL") } };
    const config = { "project:key": "of the first" };
    await refusal(runUnderMocks(() => new WebsocketRelay("relay", { auth: late }), { config }));
    const { result } = await runUnderMocks(() => [newRelay().websocketUrl, new pulumi.Config("project").get("key")]);
    expect(await valueOf(result)).to.deep.equal(["wss://api123.execute-api.eu-west-1.amazonaws.com/live", undefined]);
  });

  it("does not fail with an error of an earlier program that rejects late", async () => {
    const error = new Error("of the first");
    expect(await refusal(runUnderMocks(() => pulumi.output(1).apply(() => Promise.reject(error))))).to.equal(error);
    const { result } = await runUnderMocks(() => {
      void Promise.reject(error);
      return newRelay().websocketUrl;
    });
    expect(await valueOf(result)).to.match(/^wss:/);
  });

  it("has inputs only of a resource that was registered once, and names those that there are", async () => {
    const { inputs } = await runUnderMocks(() => [new aws.sqs.Queue("a"), new aws.sqs.Queue("b")]);
    expect(() => inputs("aws:sqs/queue:Queue", "c")).to.throw(
      "aws:sqs/queue:Queue c was registered never; of that type: a, b",
    );
  });
});

describe("valueOf", () => {
  it("rejects with the error of an output that fails", async () => {
    const output = pulumi.output(1).apply(() => fail("too late"));
    expect((await refusal(valueOf(output))).message).to.equal("too late");
  });
});

describe("relayMocks", () => {
  it("are mocks for Pulumi's own setMocks, and record", async () => {
    const mocks = relayMocks();
    await pulumi.runtime.setMocks(mocks, "project", "stack");
    const topic = new aws.sns.Topic("news");
    expect(await valueOf(topic.arn)).to.equal("arn:aws:sns:eu-west-1:111122223333:news");
    expect(mocks.registrations.map(({ name }) => name)).to.deep.equal(["news"]);
  });
});

function fail(message: string): never {
  throw new Error(message);
}
