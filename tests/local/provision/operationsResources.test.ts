import { expect } from "chai";
import { alarmResources } from "../../../local/provision/alarm";
import { dashboardResources } from "../../../local/provision/dashboard";
import { recordResources } from "../../../local/provision/route53Record";
import type { LocalResources, Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { resourceOf } from "./resourceOf";

/** The one resource of these types, created as by a provider. */
function created(resources: LocalResources, inputs: Properties) {
  const [type = ""] = Object.keys(resources);
  const resource = resourceOf(resources, type);
  const change = (id: string, news: Properties) => resource.update(id, { name: "relay", inputs: news }, inputs);
  return { resource, change, create: () => resource.create({ name: "relay", inputs }) };
}

const without = (inputs: Properties, key: string) => ({ ...inputs, [key]: undefined });

describe("a provisioned alarm", () => {
  const alarm: Properties = {
    comparisonOperator: "GreaterThanThreshold",
    evaluationPeriods: 3,
    datapointsToAlarm: 2,
    metricName: "Delivered",
    namespace: "WebsocketRelay",
    dimensions: { Relay: "r" },
    period: 60,
    statistic: "Sum",
    threshold: 0,
    treatMissingData: "notBreaching",
    alarmActions: ["arn:aws:sns:us-east-1:000000000000:ops"],
  };
  const query = (id: string, inputs: Properties = {}) => ({
    id,
    metric: { metricName: "Delivered", namespace: "WebsocketRelay", period: 60, stat: "Sum" },
    ...inputs,
  });
  const ratio = {
    ...without(without(without(without(alarm, "metricName"), "namespace"), "period"), "statistic"),
    metricQueries: [query("failed"), query("all"), { id: "ratio", expression: "failed / all", returnData: true }],
  };

  it("is autonamed, keeps a name that it is given, and changes in place", async () => {
    const { id, outputs } = await created(alarmResources(), alarm).create();
    expect(id).to.match(/^relay-[0-9a-f]{7}$/);
    expect(outputs).to.deep.equal({ id, name: id, arn: `arn:aws:cloudwatch:us-east-1:000000000000:alarm:${id}` });
    const { create, change } = created(alarmResources(), { ...alarm, name: "mine" });
    expect((await create()).id).to.equal("mine");
    expect(await change("mine", { ...alarm, name: "mine", threshold: 5 })).to.include({ name: "mine" });
    expect((await refusal(change("mine", { ...alarm, period: 7 }))).message).to.include("period");
  });

  for (const [what, inputs] of [
    ["on the result of an expression", ratio],
    ["of a percentile", { ...alarm, statistic: undefined, extendedStatistic: "p99" }],
    ["of ten seconds", { ...alarm, period: 10 }],
    ["of a whole day", { ...alarm, period: 86_400, evaluationPeriods: 7, datapointsToAlarm: undefined }],
  ] as [string, Properties][]) {
    it(`may be ${what}`, async () => {
      expect((await created(alarmResources(), inputs).create()).outputs.name).to.be.a("string");
    });
  }

  const refused: [what: string, inputs: Properties, input: string][] = [
    ["without a comparison", without(alarm, "comparisonOperator"), "comparisonOperator"],
    ["with an unknown comparison", { ...alarm, comparisonOperator: ">" }, "comparisonOperator"],
    ["without evaluation periods", without(alarm, "evaluationPeriods"), "evaluationPeriods"],
    ["with more datapoints than periods", { ...alarm, datapointsToAlarm: 4 }, "datapointsToAlarm"],
    ["without a threshold", without(alarm, "threshold"), "threshold"],
    [
      "with a band and no metric for it",
      { ...alarm, comparisonOperator: "GreaterThanUpperThreshold" },
      "thresholdMetricId",
    ],
    ["without a metric", without(alarm, "metricName"), "metricName"],
    ["with a metric and queries", { ...ratio, metricName: "Delivered" }, "metricName"],
    ["without a namespace", without(alarm, "namespace"), "namespace"],
    ["without a period", without(alarm, "period"), "period"],
    ["with a period of 90 s", { ...alarm, period: 90 }, "period"],
    ["over more than a day", { ...alarm, evaluationPeriods: 1441 }, "evaluationPeriods"],
    ["without a statistic", without(alarm, "statistic"), "statistic"],
    ["with two kinds of statistic", { ...alarm, extendedStatistic: "p99" }, "statistic"],
    ["with a percentile as statistic", { ...alarm, statistic: "p99" }, "statistic"],
    ["with an unknown treatment of missing data", { ...alarm, treatMissingData: "ok" }, "treatMissingData"],
    ["with an action that is no ARN", { ...alarm, okActions: ["ops"] }, "okActions"],
    ["with six actions", { ...alarm, alarmActions: Array(6).fill("arn:aws:sns:us-east-1:1:t") }, "alarmActions"],
    ["with queries that return nothing", { ...ratio, metricQueries: [query("a")] }, "returnData"],
    ["with a query of a bad id", { ...ratio, metricQueries: [query("A", { returnData: true })] }, "metricQueries.id"],
    [
      "with two queries of one id",
      { ...ratio, metricQueries: [query("a", { returnData: true }), query("a")] },
      "different",
    ],
    ["with a query that is nothing", { ...ratio, metricQueries: [{ id: "a", returnData: true }] }, "metricQueries"],
    [
      "with a query without a period",
      { ...ratio, metricQueries: [query("a", { metric: { metricName: "x" } })] },
      "period",
    ],
  ];
  for (const [what, inputs, input] of refused) {
    it(`is refused ${what}`, async () => {
      const { message } = await refusal(created(alarmResources(), inputs).create());
      expect(message)
        .to.match(/^ValidationError: /)
        .and.include(input);
    });
  }
});

describe("a provisioned dashboard", () => {
  const metric = {
    type: "metric",
    width: 12,
    properties: { region: "us-east-1", metrics: [["WebsocketRelay", "Delivered"]] },
  };
  const dashboard = (widgets: unknown, dashboardName = "relay") => ({
    dashboardName,
    dashboardBody: JSON.stringify({ widgets }),
  });

  it("has an ARN without a region, and changes in place", async () => {
    const inputs = dashboard([metric, { type: "text", x: 12, properties: { markdown: "# Relay" } }]);
    const { create, change } = created(dashboardResources(), inputs);
    const expected = { id: "relay", dashboardArn: "arn:aws:cloudwatch::000000000000:dashboard/relay" };
    expect(await create()).to.deep.equal({ id: "relay", outputs: expected });
    expect(await change("relay", dashboard([]))).to.deep.equal(expected);
  });

  const refused: [what: string, inputs: Properties, input: string][] = [
    ["without a name", { ...dashboard([]), dashboardName: undefined }, "dashboardName"],
    ["with a name of other characters", dashboard([], "my relay"), "dashboardName"],
    ["without a body", { dashboardName: "relay" }, "dashboardBody"],
    ["with a body that is no JSON", { dashboardName: "relay", dashboardBody: "{widgets}" }, "dashboardBody"],
    ["with a body that is a list", { dashboardName: "relay", dashboardBody: "[]" }, "dashboardBody"],
    ["with a body without widgets", { dashboardName: "relay", dashboardBody: "{}" }, "widgets"],
    ["with a widget of an unknown type", dashboard([metric, { type: "graph" }]), "widgets[1].type"],
    ["with a widget that is too wide", dashboard([{ ...metric, width: 25 }]), "widgets[0].width"],
    ["with a metric widget without metrics", dashboard([{ type: "metric", properties: { region: "r" } }]), "metrics"],
    ["with a metric widget without a region", dashboard([{ type: "metric", properties: { metrics: [] } }]), "region"],
    ["with a text widget without text", dashboard([{ type: "text" }]), "markdown"],
  ];
  for (const [what, inputs, input] of refused) {
    it(`is refused ${what}`, async () => {
      const { message } = await refusal(created(dashboardResources(), inputs).create());
      expect(message)
        .to.match(/^InvalidParameterInput: /)
        .and.include(input);
    });
  }
});

describe("a provisioned record", () => {
  const alias = { name: "d-1.execute-api.us-east-1.amazonaws.com", zoneId: "Z1", evaluateTargetHealth: false };
  const record: Properties = { zoneId: "Z0", name: "ws.relay.dev", type: "A", aliases: [alias] };
  const plain: Properties = { zoneId: "Z0", name: "ws.relay.dev", type: "CNAME", records: ["other.dev"], ttl: 60 };

  it("has its name as its domain name", async () => {
    for (const inputs of [record, plain]) {
      const { id, outputs } = await created(recordResources(), inputs).create();
      expect(id).to.equal(`Z0_ws.relay.dev_${String(inputs.type)}`);
      expect(outputs).to.include({ fqdn: "ws.relay.dev" });
    }
  });

  it("is refused where it exists, unless it may overwrite, and can be made again once deleted", async () => {
    const resources = recordResources();
    const { create, resource } = created(resources, record);
    const { id } = await create();
    expect((await refusal(create())).message).to.include("already exists");
    expect((await created(resources, { ...record, allowOverwrite: true }).create()).id).to.equal(id);
    await resource.delete(id, record);
    expect((await create()).id).to.equal(id);
  });

  const refused: [what: string, inputs: Properties, input: string][] = [
    ["without a zone", without(record, "zoneId"), "zoneId"],
    ["without a name", without(record, "name"), "name"],
    ["of an unknown type", { ...record, type: "ALIAS" }, "type"],
    ["with neither alias nor records", without(record, "aliases"), "aliases"],
    ["with both alias and records", { ...record, records: ["1.2.3.4"], ttl: 60 }, "aliases"],
    ["with records and no ttl", without(plain, "ttl"), "ttl"],
    ["with an alias and a ttl", { ...record, ttl: 60 }, "ttl"],
    ["with an alias without a target", { ...record, aliases: [{ ...alias, name: undefined }] }, "aliases"],
  ];
  for (const [what, inputs, input] of refused) {
    it(`is refused ${what}`, async () => {
      expect((await refusal(created(recordResources(), inputs).create())).message).to.include(input);
    });
  }
});
