import { expect } from "chai";
import { EmbeddedMetrics, METRICS, metricsFromEnvironment } from "../../handlers/metrics";

describe("EmbeddedMetrics", () => {
  const written = () => {
    const lines: string[] = [];
    const metrics = new EmbeddedMetrics(
      "chat-dev-relay",
      (line) => lines.push(line),
      () => 1_000,
    );
    return { metrics, documents: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  };

  it("writes a count as one embedded metric document that CloudWatch extracts", () => {
    const { metrics, documents } = written();
    metrics.add(METRICS.delivered, 1);
    metrics.add(METRICS.delivered, 1);
    metrics.flush();
    expect(documents()).to.deep.equal([
      {
        _aws: {
          Timestamp: 1_000,
          CloudWatchMetrics: [
            {
              Namespace: "WebsocketRelay",
              Dimensions: [["Relay"]],
              Metrics: [{ Name: "Delivered", Unit: "Count" }],
            },
          ],
        },
        Relay: "chat-dev-relay",
        Delivered: 2,
      },
    ]);
  });

  it("counts by reason, and in all", () => {
    const { metrics, documents } = written();
    metrics.add(METRICS.retried, 1, "no-session");
    metrics.add(METRICS.retried, 1, "throttled");
    metrics.flush();
    expect(documents().map(({ Reason, Retried }) => [Reason, Retried])).to.deep.equal([
      ["no-session", 1],
      ["throttled", 1],
    ]);
    expect(JSON.stringify(documents()[0])).to.include('"Dimensions":[["Relay"],["Relay","Reason"]]');
  });

  it("keeps every age, a hundred to a document, in milliseconds", () => {
    const { metrics, documents } = written();
    for (let age = 0; age < 150; age++) metrics.add(METRICS.ageAtDelivery, age);
    metrics.flush();
    expect(documents().map(({ AgeAtDelivery }) => (AgeAtDelivery as number[]).length)).to.deep.equal([100, 50]);
    expect(JSON.stringify(documents()[0])).to.include('{"Name":"AgeAtDelivery","Unit":"Milliseconds"}');
  });

  it("writes nothing twice, and nothing where nothing was added", () => {
    const { metrics, documents } = written();
    metrics.add(METRICS.delivered, 1);
    metrics.flush();
    metrics.flush();
    expect(documents()).to.have.lengthOf(1);
  });

  it("refuses an environment that does not name the relay", () => {
    expect(() => metricsFromEnvironment({})).to.throw(/RELAY_NAME is not set/);
  });
});
