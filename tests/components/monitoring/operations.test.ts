import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { WebsocketRelay, type WebsocketRelayArgs } from "../../../components";
import { record, type Registration, valueOf } from "../../support/recorder";

const auth = { oidc: { issuer: "https://issuer.relay.dev", audience: "relay" } };
const certificateArn = "arn:aws:acm:eu-west-1:444455556666:certificate/0a1b2c3d";
const quiet = { auth, alarms: { enabled: false }, dashboard: false };

describe("WebsocketRelay's operations", () => {
  let relay!: WebsocketRelay;
  let registrations: Registration[];
  const dependencies: Record<string, string[]> = {};

  const recordDependencies: pulumi.ResourceTransformation = ({ name, opts }) => {
    const named = opts.dependsOn as { __name: string }[] | undefined;
    if (named) dependencies[name] = named.map(({ __name }) => __name).sort();
    return undefined;
  };

  before(async () => {
    const args: WebsocketRelayArgs = {
      auth,
      allowedOrigins: ["https://app.relay.dev"],
      ipAddressType: "dualstack",
      customDomain: { domainName: "ws.relay.dev", certificateArn, hostedZoneId: "Z0A1B2C3", basePath: "chat" },
      gatewayLogs: { accountRole: "create" },
      tags: { team: "chat" },
    };
    const recorded = await record(() => {
      const onCall = new aws.sns.Topic("on-call");
      const alarms = { actions: [onCall.arn] };
      relay = new WebsocketRelay("relay", { ...args, alarms }, { transformations: [recordDependencies] });
    });
    expect(recorded.errors).to.deep.equal([]);
    ({ registrations } = recorded);
  });

  const inputs = (type: string, name: string): Record<string, unknown> => {
    const found = registrations.filter((each) => each.type === type && each.name === name);
    expect(found, `${type} ${name}`).to.have.lengthOf(1);
    return found[0]?.inputs ?? {};
  };

  it("lets clients open the domain, and keeps the API's own address for functions and the local run", async () => {
    expect(await valueOf(relay.websocketUrl)).to.equal("wss://ws.relay.dev/chat");
    const own = "api123.execute-api.eu-west-1.amazonaws.com/live";
    expect(await valueOf(relay.gateway.stage.invokeUrl)).to.equal(`wss://${own}`);
    expect(await valueOf(relay.managementEndpoint)).to.equal(`https://${own}`);
    expect(inputs("aws:lambda/function:Function", "relay-deliver")).to.have.nested.property(
      "environment.variables.MANAGEMENT_ENDPOINT",
      `https://${own}`,
    );
  });

  it("outputs what a DNS record elsewhere has to point at", async () => {
    expect(await valueOf(relay.customDomainTarget)).to.deep.equal({
      domainName: "d-abc123.execute-api.eu-west-1.amazonaws.com",
      hostedZoneId: "ZLY8HYME6SFDD",
    });
  });

  it("always allows the domain's origin besides the API's own", () => {
    const { variables } = inputs("aws:lambda/function:Function", "relay-connect").environment as {
      variables: Record<string, string>;
    };
    expect(JSON.parse(variables.ALLOWED_ORIGINS ?? "")).to.deep.equal([
      "https://api123.execute-api.eu-west-1.amazonaws.com",
      "https://ws.relay.dev",
      "https://app.relay.dev",
    ]);
  });

  it("maps this API's stage to the domain", () => {
    expect(inputs("aws:apigatewayv2/apiMapping:ApiMapping", "relay-api-mapping")).to.deep.equal({
      apiId: "relay-api-id",
      stage: "live",
      domainName: "ws.relay.dev",
      apiMappingKey: "chat",
    });
  });

  it("answers IPv6 too where it is dualstack, on the API and on the domain", () => {
    expect(inputs("aws:apigatewayv2/api:Api", "relay-api")).to.include({ ipAddressType: "dualstack" });
    expect(inputs("aws:apigatewayv2/domainName:DomainName", "relay-domain-name")).to.have.nested.property(
      "domainNameConfiguration.ipAddressType",
      "dualstack",
    );
  });

  it("has the stage log each event, once the account may", () => {
    const { accessLogSettings } = inputs("aws:apigatewayv2/stage:Stage", "relay-stage");
    expect(accessLogSettings).to.include({
      destinationArn: "arn:aws:logs:eu-west-1:111122223333:log-group:relay-access-logs",
    });
    expect(dependencies["relay-stage"]).to.deep.equal([
      "relay-account",
      "relay-connect-permission",
      "relay-disconnect-permission",
      "relay-execution-logs",
    ]);
    expect(dependencies["relay-account"]).to.deep.equal(["relay-access-logs-policy"]);
  });

  it("has the stage log failed requests of every route, and never full requests, which have tokens", () => {
    const { defaultRouteSettings, routeSettings } = inputs("aws:apigatewayv2/stage:Stage", "relay-stage");
    for (const settings of [defaultRouteSettings, ...(routeSettings as object[])]) {
      expect(settings).to.include({ loggingLevel: "ERROR", dataTraceEnabled: false });
    }
    expect(inputs("aws:cloudwatch/logGroup:LogGroup", "relay-execution-logs")).to.include({
      name: "/aws/apigateway/relay-api-id/live",
    });
  });

  it("names each alarm for project, stack and relay, and tells the actions of its beginning and of its end", () => {
    const actions = ["arn:aws:sns:eu-west-1:111122223333:on-call"];
    const alarms = registrations.filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm");
    expect(alarms).to.have.lengthOf(16);
    for (const { name, inputs: alarm } of alarms) {
      expect(alarm).to.deep.include({ alarmActions: actions, okActions: actions, tags: { team: "chat" } });
      expect(`${name}`).to.equal(`${(alarm.name as string).replace("pulumi-websocket-relay-test-", "")}-alarm`);
    }
    expect(relay.monitoring?.alarms).to.have.property("dead-letters");
  });

  it("watches its own queues and functions", () => {
    const watched = (part: string) =>
      inputs("aws:cloudwatch/metricAlarm:MetricAlarm", `relay-${part}-alarm`).dimensions;
    expect(watched("dead-letters")).to.deep.equal({ Relay: "pulumi-websocket-relay-test-relay" });
    expect(watched("dead-letters-user-away")).to.deep.equal({ Relay: "pulumi-websocket-relay-test-relay" });
    expect(watched("failed-notifications")).to.deep.equal({ TopicName: "relay-topic" });
    expect(watched("lost-notifications")).to.deep.equal({ TopicName: "relay-topic" });
    expect(watched("subscription-dead-letters")).to.deep.equal({ QueueName: "relay-subscription-dead-letter-queue" });
    expect(watched("deliver-behind")).to.deep.equal({ QueueName: "relay-queue" });
    expect(watched("invisible-messages")).to.deep.equal({ QueueName: "relay-queue" });
    expect(watched("age-at-failed-attempt")).to.deep.equal({ Relay: "pulumi-websocket-relay-test-relay" });
    for (const part of ["connect", "disconnect", "deliver"]) {
      expect(watched(`${part}-errors`)).to.deep.equal({ FunctionName: `relay-${part}` });
    }
  });

  it("takes a metric without values for OK in every alarm of retry mode, so that none is unknown on a new stack", () => {
    const alarms = registrations.filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm");
    for (const { name, inputs: alarm } of alarms) expect(alarm.treatMissingData, name).to.equal("notBreaching");
  });

  it("watches what happens to the dead-letter queues, and not how much is in them, unless a threshold of that is set", async () => {
    const depths = async (alarms: WebsocketRelayArgs["alarms"]) => {
      const { registrations: all } = await record(() => new WebsocketRelay("relay", { auth, alarms }));
      const visible = all.filter(({ inputs: { metricName } }) => metricName === "ApproximateNumberOfMessagesVisible");
      return visible.map(({ name, inputs: { dimensions, threshold } }) => [name, dimensions, threshold]);
    };
    expect(await depths({})).to.deep.equal([]);
    expect(await depths({ deadLetterQueueDepth: 5 })).to.deep.equal([
      ["relay-dead-letter-queue-depth-alarm", { QueueName: "relay-dead-letter-queue" }, 5],
    ]);
  });

  it("watches SNS on a topic of the user's only where a threshold is set, and FIFO topics by their whole name", async () => {
    const topics = async (args: Partial<WebsocketRelayArgs>) => {
      const { registrations: all, errors } = await record(() => new WebsocketRelay("relay", { auth, ...args }));
      expect(errors).to.deep.equal([]);
      const alarms = all.filter(({ name }) => /(failed|lost)-notifications-alarm$/.test(name));
      return alarms.map(({ inputs: { dimensions, threshold } }) => [dimensions, threshold]);
    };
    const topicArn = "arn:aws:sns:eu-west-1:111122223333:events";
    expect(await topics({ topicArn })).to.deep.equal([]);
    const wanted = [{ TopicName: "events" }, 3];
    expect(await topics({ topicArn, alarms: { failedNotifications: 3 } })).to.deep.equal([wanted, wanted]);
    const own = [{ TopicName: "events.fifo" }, 0];
    const strict = { delivery: "replay", ordering: "strict", topicArn: `${topicArn}.fifo` } as const;
    expect(await topics({ ...strict, alarms: { failedNotifications: 0 } })).to.deep.equal([own, own]);
  });

  it("has a dashboard of this API, in its region", () => {
    const { dashboardName, dashboardBody } = inputs("aws:cloudwatch/dashboard:Dashboard", "relay-dashboard");
    expect(dashboardName).to.equal("pulumi-websocket-relay-test-relay");
    expect(dashboardBody).to.include('"ApiId","relay-api-id","Stage","live"').and.to.include('"region":"eu-west-1"');
  });

  it("registers neither alarm, dashboard, domain nor access log where none is wanted", async () => {
    const { registrations: few, errors } = await record(() => new WebsocketRelay("relay", quiet));

    expect(errors).to.deep.equal([]);
    const operations =
      /cloudwatch\/(metricAlarm|dashboard)|apigateway\/|domainName|apiMapping|route53|Monitoring|CustomDomain|GatewayLogs/;
    expect(few.map(({ type }) => type).filter((type) => operations.test(type))).to.deep.equal([]);
    expect(few.map(({ name }) => name)).not.to.include("relay-access-logs");
    expect(few.find(({ name }) => name === "relay-stage")?.inputs).not.to.have.property("accessLogSettings");
    expect(few.find(({ name }) => name === "relay-api")?.inputs).to.include({ ipAddressType: "ipv4" });
  });

  it("has a dashboard without alarms, and alarms without a dashboard", async () => {
    const types = async (args: WebsocketRelayArgs) => {
      const { registrations: all } = await record(() => new WebsocketRelay("relay", args));
      return new Set(all.map(({ type }) => type).filter((type) => /metricAlarm|dashboard/.test(type)));
    };
    expect(await types({ ...quiet, dashboard: true })).to.deep.equal(new Set(["aws:cloudwatch/dashboard:Dashboard"]));
    expect(await types({ ...quiet, alarms: {} })).to.deep.equal(new Set(["aws:cloudwatch/metricAlarm:MetricAlarm"]));
  });

  describe("where the program's region is configured", () => {
    before(() => pulumi.runtime.setConfig("aws:region", "us-east-1"));
    after(() => pulumi.runtime.setAllConfig({}));

    const customDomain = { domainName: "ws.relay.dev", certificateArn };

    it("refuses a certificate of another one, before anything is registered", async () => {
      let error: unknown;
      const { registrations: none } = await record(() => {
        try {
          new WebsocketRelay("relay", { ...quiet, customDomain });
        } catch (thrown) {
          error = thrown;
        }
      });
      expect(String(error)).to.include("customDomain.certificateArn").and.to.include("a certificate in us-east-1");
      expect(none).to.deep.equal([]);
    });

    it("lets it pass where the relay has a provider of its own, whose region may be another", async () => {
      const { errors } = await record(() => {
        const provider = new aws.Provider("other", { region: "eu-west-1" });
        new WebsocketRelay("relay", { ...quiet, customDomain }, { provider });
      });
      expect(errors).to.deep.equal([]);
    });
  });
});
