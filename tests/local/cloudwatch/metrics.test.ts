import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { EmbeddedMetrics, METRICS } from "../../../handlers/metrics";
import { Iam } from "../../../local/iam/iam";
import { LambdaService } from "../../../local/lambda/lambdaService";
import { LocalMetrics } from "../../../local/cloudwatch/metrics";
import { everything, registerRole } from "../iam/roles";
import { serve } from "../lambda/lambdaFixture";

/** The lines that the handlers write for what was added. */
function linesOf(add: (metrics: EmbeddedMetrics) => void, logLevel = "INFO"): string[] {
  const lines: string[] = [];
  const metrics = new EmbeddedMetrics("shop-dev-relay", logLevel, (line) => lines.push(line));
  add(metrics);
  metrics.flush();
  return lines;
}

describe("the functions' metrics", () => {
  it("are read as CloudWatch would: a count, a count by reason, and ages", () => {
    const local = new LocalMetrics();
    const lines = linesOf((metrics) => {
      metrics.add(METRICS.delivered, 1);
      metrics.add(METRICS.delivered, 1);
      metrics.add(METRICS.retried, 1, "no-session");
      metrics.add(METRICS.ageAtDelivery, 120);
      metrics.add(METRICS.ageAtDelivery, 35);
    });
    expect(lines.map((line) => local.take(line))).to.deep.equal([
      "metric Delivered=2 Relay=shop-dev-relay; metric AgeAtDelivery=120,35 Relay=shop-dev-relay; " +
        "metric Retried=1 Relay=shop-dev-relay Reason=no-session",
    ]);
  });

  it("are summed by name, relay and reason", () => {
    const local = new LocalMetrics();
    const take = (add: (metrics: EmbeddedMetrics) => void) => linesOf(add).forEach((line) => local.take(line));
    take((metrics) => metrics.add(METRICS.retried, 1, "no-session"));
    take((metrics) => metrics.add(METRICS.retried, 2, "no-session"));
    take((metrics) => metrics.add(METRICS.retried, 1, "throttled"));
    take((metrics) => [120, 35].forEach((age) => metrics.add(METRICS.ageAtDelivery, age)));
    const Relay = "shop-dev-relay";
    expect(local.all()).to.deep.equal([
      { name: "Retried", dimensions: { Relay, Reason: "no-session" }, sum: 3, samples: 2 },
      { name: "Retried", dimensions: { Relay, Reason: "throttled" }, sum: 1, samples: 1 },
      { name: "AgeAtDelivery", dimensions: { Relay }, sum: 155, samples: 2 },
    ]);
  });

  for (const line of ["hello", '{"event":"connected"}', '{"_aws":', '{"text":"\\"_aws\\""}', '{"_aws":null}']) {
    it(`are not in the line ${line}`, () => expect(new LocalMetrics().take(line)).to.equal(undefined));
  }

  const document = JSON.parse(linesOf((metrics) => metrics.add(METRICS.retried, 1, "no-session"))[0] ?? "") as {
    _aws: { CloudWatchMetrics: object[] };
  };
  const directive = document._aws.CloudWatchMetrics[0];
  const withDirective = (changes: object) => ({
    ...document,
    _aws: { ...document._aws, CloudWatchMetrics: [{ ...directive, ...changes }] },
  });
  const ignored: [what: string, document: object, problem: string][] = [
    ["has no timestamp", { ...document, _aws: { ...document._aws, Timestamp: undefined } }, "Timestamp"],
    ["has no directive", { ...document, _aws: { ...document._aws, CloudWatchMetrics: [] } }, "CloudWatchMetrics"],
    ["has no namespace", withDirective({ Namespace: "" }), "Namespace"],
    ["lacks a dimension", { ...document, Reason: undefined }, "dimension Reason"],
    ["has a dimension that is no text", { ...document, Reason: 7 }, "dimension Reason"],
    ["has more than 30 dimensions", withDirective({ Dimensions: [Array(31).fill("Relay")] }), "at most 30"],
    ["lacks the metric", { ...document, Retried: undefined }, "metric Retried"],
    ["has a metric that is a text", { ...document, Retried: "1" }, "metric Retried"],
    ["has more than 100 values", { ...document, Retried: Array(101).fill(1) }, "1 to 100"],
  ];
  for (const [what, ignoredDocument, problem] of ignored) {
    it(`are not in a document that ${what}, which CloudWatch would ignore without a word`, () => {
      const local = new LocalMetrics();
      expect(local.take(JSON.stringify(ignoredDocument)))
        .to.match(/^no metric, since /)
        .and.include(problem);
      expect(local.all()).to.deep.equal([]);
    });
  }
});

describe("a function's log", () => {
  // Lambda's JSON format is made by the console's methods: what is written past them is a line of its own.
  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
  it("has what goes past the console as it is, and a metric document in words", async () => {
    const [line = ""] = linesOf((metrics) => metrics.add(METRICS.delivered, 3));
    const body = `exports.handler = async () => {
      process.stdout.write(${JSON.stringify(`${line}\n`)});
      process.stdout.write("plain\\n");
      console.log("wrapped");
    };`;
    const lines: string[] = [];
    const metrics = new LocalMetrics();
    let service: LambdaService | undefined;
    await new Promise<void>((resolve) => {
      const log = (each: string) => {
        lines.push(each);
        if (each.includes("wrapped")) resolve();
      };
      const iam = new Iam();
      const { arn: roleArn } = registerRole(iam, "relay-deliver", everything);
      service = new LambdaService({ environment: () => ({}), log, metrics, iam });
      const code = new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(body) });
      const put = service.putFunction({
        name: "relay-deliver-abc",
        roleArn,
        code,
        handler: "index.handler",
        runtime: "nodejs24.x",
        timeoutSeconds: 3,
        memorySizeMb: 128,
        variables: {},
        loggingConfig: { logFormat: "JSON", systemLogLevel: "WARN" },
      });
      void put.then(() => service?.invoke("relay-deliver-abc", {}));
    });
    await service?.close();
    expect(lines.slice(0, 2)).to.deep.equal([
      "relay-deliver-abc: metric Delivered=3 Relay=shop-dev-relay",
      "relay-deliver-abc: plain",
    ]);
    expect(lines[2]).to.match(/^relay-deliver-abc: \{"timestamp":.*"message":"wrapped"\}$/);
    expect(metrics.all().map(({ name, sum }) => [name, sum])).to.deep.equal([["Delivered", 3]]);
  });

  for (const [written, applicationLogLevel, counted] of [
    ["INFO", "INFO", [["Delivered", 3]]],
    ["WARN", "WARN", [["Delivered", 3]]],
    ["ERROR", "ERROR", [["Delivered", 3]]],
    // Changed in the console while the process lives on.
    ["INFO", "WARN", []],
  ] as const) {
    it(`written for the level ${written}, ${counted.length ? "has" : "lacks"} its metrics at the level ${applicationLogLevel}`, async () => {
      const metrics = new LocalMetrics();
      const [line = ""] = linesOf((each) => each.add(METRICS.delivered, 3), written);
      const service = await serve(
        `exports.handler = async () => void process.stdout.write(${JSON.stringify(`${line}\n`)});`,
        { metrics, loggingConfig: { logFormat: "JSON", systemLogLevel: "WARN", applicationLogLevel } },
      );
      await service.invoke("f", {});
      await service.close();
      expect(metrics.all().map(({ name, sum }) => [name, sum])).to.deep.equal(counted);
    });
  }
});
