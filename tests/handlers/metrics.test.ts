import { expect } from "chai";
import { EmbeddedMetrics, METRICS, type Metrics, metricsFromEnvironment } from "../../handlers/metrics";

const written = (logLevel = "INFO") => {
  const lines: string[] = [];
  const metrics = new EmbeddedMetrics(
    "chat-dev-relay",
    logLevel,
    (line) => lines.push(line),
    () => 1_000,
  );
  return { metrics, lines, documents: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
};

/** The documents of what `add` adds. */
function documentsOf(add: (metrics: Metrics) => void): Record<string, unknown>[] {
  const { metrics, documents } = written();
  add(metrics);
  metrics.flush();
  return documents();
}

const directivesOf = (document: Record<string, unknown> | undefined) =>
  (document?._aws as { CloudWatchMetrics: Record<string, unknown>[] }).CloudWatchMetrics;

describe("EmbeddedMetrics", () => {
  it("writes a count as one embedded metric document that CloudWatch extracts", () => {
    const documents = documentsOf((metrics) => {
      metrics.add(METRICS.delivered, 1);
      metrics.add(METRICS.delivered, 1);
    });
    expect(documents).to.deep.equal([
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

  it("writes metrics with and without a reason as one document with two directives", () => {
    const documents = documentsOf((metrics) => {
      metrics.add(METRICS.retried, 1, "no-session");
      metrics.add(METRICS.ageAtFailedAttempt, 7_000);
      metrics.add(METRICS.retried, 1, "no-session");
    });
    expect(documents).to.deep.equal([
      {
        _aws: {
          Timestamp: 1_000,
          CloudWatchMetrics: [
            {
              Namespace: "WebsocketRelay",
              Dimensions: [["Relay"]],
              Metrics: [{ Name: "AgeAtFailedAttempt", Unit: "Milliseconds" }],
            },
            {
              Namespace: "WebsocketRelay",
              Dimensions: [["Relay"], ["Relay", "Reason"]],
              Metrics: [{ Name: "Retried", Unit: "Count" }],
            },
          ],
        },
        Relay: "chat-dev-relay",
        Reason: "no-session",
        AgeAtFailedAttempt: 7_000,
        Retried: 2,
      },
    ]);
  });

  it("writes all metrics without a reason as one directive, and all of one reason as another", () => {
    const [document, ...others] = documentsOf((metrics) => {
      metrics.add(METRICS.delivered, 1);
      metrics.add(METRICS.ageAtDelivery, 20);
      metrics.add(METRICS.expired, 1, "expires-at");
      metrics.add(METRICS.stored, 1, "expires-at");
    });
    expect(others).to.deep.equal([]);
    expect(directivesOf(document).map(({ Dimensions, Metrics }) => [Dimensions, Metrics])).to.deep.equal([
      [
        [["Relay"]],
        [
          { Name: "Delivered", Unit: "Count" },
          { Name: "AgeAtDelivery", Unit: "Milliseconds" },
        ],
      ],
      [
        [["Relay"], ["Relay", "Reason"]],
        [
          { Name: "Expired", Unit: "Count" },
          { Name: "Stored", Unit: "Count" },
        ],
      ],
    ]);
  });

  it("writes a further document for a further reason, without repeating what has no reason", () => {
    const documents = documentsOf((metrics) => {
      metrics.add(METRICS.retried, 1, "no-session");
      metrics.add(METRICS.retried, 1, "throttled");
      metrics.add(METRICS.ageAtFailedAttempt, 9);
    });
    expect(
      documents.map(({ Reason, Retried, AgeAtFailedAttempt }) => [Reason, Retried, AgeAtFailedAttempt]),
    ).to.deep.equal([
      ["no-session", 1, 9],
      ["throttled", 1, undefined],
    ]);
  });

  it("has no dimension Reason where nothing was counted by reason", () => {
    const [document] = documentsOf((metrics) => metrics.add(METRICS.delivered, 1));
    expect(document).not.to.have.property("Reason");
    expect(directivesOf(document)).to.have.lengthOf(1);
  });

  it("keeps every age, a hundred to a document, in milliseconds", () => {
    const documents = documentsOf((metrics) => {
      for (let age = 0; age < 150; age++) metrics.add(METRICS.ageAtDelivery, age);
      metrics.add(METRICS.retried, 1, "no-session");
    });
    expect(documents.map(({ AgeAtDelivery }) => (AgeAtDelivery as number[]).length)).to.deep.equal([100, 50]);
    expect(documents.map(({ Reason }) => Reason)).to.deep.equal(["no-session", undefined]);
    expect(JSON.stringify(documents[0])).to.include('{"Name":"AgeAtDelivery","Unit":"Milliseconds"}');
  });

  for (const [name, unit] of [
    [METRICS.ageAtDelivery, "Milliseconds"],
    [METRICS.ageAtFailedAttempt, "Milliseconds"],
    [METRICS.historySweepLag, "Milliseconds"],
    [METRICS.deadLetteredToFix, "Count"],
    [METRICS.deadLetteredUserAway, "Count"],
    [METRICS.messageIdConflicts, "Count"],
    [METRICS.duplicates, "Count"],
  ] as const) {
    it(`writes ${name} in the unit ${unit}`, () => {
      const [document] = documentsOf((metrics) => metrics.add(name, 1));
      expect(directivesOf(document)[0]?.Metrics).to.deep.equal([{ Name: name, Unit: unit }]);
    });
  }

  it("writes nothing twice, and nothing where nothing was added", () => {
    const { metrics, documents } = written();
    metrics.add(METRICS.delivered, 1);
    metrics.add(METRICS.retried, 1, "no-session");
    metrics.flush();
    metrics.flush();
    expect(documents()).to.have.lengthOf(1);
  });

  // Lambda takes a line without level and timestamp for INFO, and drops what is below the function's level.
  for (const level of ["WARN", "ERROR", "FATAL"]) {
    it(`writes a line that Lambda keeps at the level ${level}`, () => {
      const { metrics, documents } = written(level);
      metrics.add(METRICS.delivered, 1);
      metrics.flush();
      expect(documents()[0]).to.include({ level, timestamp: "1970-01-01T00:00:01.000Z" });
    });
  }

  for (const level of ["", "TRACE", "DEBUG", "INFO"]) {
    it(`writes no level where Lambda keeps a line without one: at the level "${level}"`, () => {
      const { metrics, documents } = written(level);
      metrics.add(METRICS.delivered, 1);
      metrics.flush();
      expect(documents()[0]).to.have.all.keys("_aws", "Relay", "Delivered");
    });
  }

  it("refuses an environment that does not name the relay", () => {
    expect(() => metricsFromEnvironment({})).to.throw(/RELAY_NAME is not set/);
  });
});
