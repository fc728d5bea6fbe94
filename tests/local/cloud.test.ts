import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { WebSocket } from "ws";
import { LocalCloud } from "../../local/cloud";
import type { Properties } from "../../local/provision/resource";
import { everything, registerRole } from "./iam/roles";

/** Everything that can be registered, as the two fronts register it. */
describe("the local cloud", () => {
  let cloud: LocalCloud;
  let logs: string[];
  let untilLog: (pattern: RegExp) => Promise<string>;

  beforeEach(async () => {
    logs = [];
    let tell: () => void = () => undefined;
    const log = (line: string) => {
      logs.push(line);
      tell();
    };
    untilLog = async (pattern) => {
      for (;;) {
        const found = logs.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => (tell = resolve));
      }
    };
    cloud = await LocalCloud.start({ audience: "test", userClaim: "sub", timeScale: 1000, log });
  });
  afterEach(() => cloud.close());

  const create = (type: string, inputs: Properties, name = "relay") => cloud.provisioner.create(type, name, inputs);
  const createFunction = async (body: string): Promise<Properties> => {
    const code = new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(body) });
    const { arn: role } = registerRole(cloud.iam, "sweep", everything);
    const inputs = { code, role, handler: "index.handler", runtime: "nodejs24.x", name: "sweep" };
    return (await create("aws:lambda/function:Function", inputs)).outputs;
  };

  it("runs a function by a scheduled rule, once a permission lets EventBridge invoke it", async () => {
    const { arn } = await createFunction("exports.handler = async (e) => console.log(`${e['detail-type']} came`);");
    const rule = await create("aws:cloudwatch/eventRule:EventRule", { scheduleExpression: "rate(1 minute)" });
    await create("aws:cloudwatch/eventTarget:EventTarget", { rule: rule.id, arn });
    const denied = await untilLog(/^rule /);
    expect(denied).to.include("events.amazonaws.com is not authorized").and.include(String(rule.outputs.arn));
    await create("aws:lambda/permission:Permission", {
      action: "lambda:InvokeFunction",
      function: "sweep",
      principal: "events.amazonaws.com",
      sourceArn: rule.outputs.arn,
    });
    await untilLog(/^sweep: .*Scheduled Event came/);
  });

  it("serves a stage by a custom domain name, and logs who came into the stage's log group", async () => {
    const logGroup = await create("aws:cloudwatch/logGroup:LogGroup", { name: "access" });
    const api = await create("aws:apigatewayv2/api:Api", {
      protocolType: "WEBSOCKET",
      routeSelectionExpression: "$request.body.action",
    });
    const integration = { apiId: api.id, integrationType: "MOCK" };
    const target = `integrations/${(await create("aws:apigatewayv2/integration:Integration", integration)).id}`;
    await create("aws:apigatewayv2/route:Route", { apiId: api.id, routeKey: "$connect", target });
    const deployment = await create("aws:apigatewayv2/deployment:Deployment", { apiId: api.id });
    await create("aws:apigatewayv2/stage:Stage", {
      apiId: api.id,
      name: "live",
      deploymentId: deployment.id,
      accessLogSettings: {
        destinationArn: logGroup.outputs.arn,
        format: "$context.requestId $context.domainName $context.stage $context.eventType $context.status",
      },
    });
    const domain = await create("aws:apigatewayv2/domainName:DomainName", {
      domainName: "ws.relay.dev",
      domainNameConfiguration: {
        certificateArn: "arn:aws:acm:us-east-1:000000000000:certificate/c",
        endpointType: "REGIONAL",
        securityPolicy: "TLS_1_2",
      },
    });
    const { targetDomainName, hostedZoneId } = domain.outputs.domainNameConfiguration as Record<string, string>;
    const mapping = { apiId: api.id, domainName: domain.id, stage: "live" };
    await create("aws:apigatewayv2/apiMapping:ApiMapping", mapping);
    await create("aws:route53/record:Record", {
      zoneId: "Z0",
      name: "ws.relay.dev",
      type: "A",
      aliases: [{ name: targetDomainName, zoneId: hostedZoneId, evaluateTargetHealth: false }],
    });
    const socket = new WebSocket(String(api.outputs.apiEndpoint), { headers: { Host: "ws.relay.dev" } });
    expect(await untilLog(/^access: /)).to.match(/^access: \S+ ws\.relay\.dev live CONNECT 200$/);
    socket.on("error", () => undefined).terminate();
  });

  it("answers a program's questions of what is provisioned, and reads it", async () => {
    const table = await create("aws:dynamodb/table:Table", {
      attributes: [{ name: "id", type: "S" }],
      hashKey: "id",
      billingMode: "PAY_PER_REQUEST",
    });
    const topic = await create("aws:sns/topic:Topic", {});
    const { provisioner } = cloud;
    const found = await provisioner.call("aws:dynamodb/getTable:getTable", { name: table.id });
    expect(found).to.include({ arn: table.outputs.arn, hashKey: "id" });
    const { name } = topic.outputs;
    expect(await provisioner.call("aws:sns/getTopic:getTopic", { name })).to.include({ arn: topic.id });
    expect(await provisioner.read("aws:sns/topic:Topic", "theirs", topic.id)).to.include({ arn: topic.id });
    expect(await provisioner.call("aws:index/getRegion:getRegion", {})).to.include({ region: "us-east-1" });
  });

  it("knows the account's settings, alarms, dashboards, keys and aliases", async () => {
    const key = await create("aws:kms/key:Key", {});
    const created = await Promise.all([
      create("aws:apigateway/account:Account", {}),
      create("aws:kms/alias:Alias", { name: "alias/relay", targetKeyId: key.id }),
      create("aws:cloudwatch/dashboard:Dashboard", { dashboardName: "relay", dashboardBody: '{"widgets":[]}' }),
      create("aws:cloudwatch/metricAlarm:MetricAlarm", {
        name: "alarm",
        metricName: "Delivered",
        namespace: "WebsocketRelay",
        period: 60,
        statistic: "Sum",
        comparisonOperator: "GreaterThanThreshold",
        evaluationPeriods: 1,
        threshold: 0,
      }),
    ]);
    expect(created.map(({ id }) => id)).to.deep.equal(["api-gateway-account", "alias/relay", "relay", "alarm"]);
  });
});
