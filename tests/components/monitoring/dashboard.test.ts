import { expect } from "chai";
import { dashboardBody, type DashboardSubjects } from "../../../components/monitoring/dashboard";

const subjects: DashboardSubjects = {
  relayName: "chat-prod-relay",
  delivery: "retry",
  region: "eu-west-1",
  apiId: "api123",
  stageName: "live",
  topicName: "topic",
  queueName: "queue",
  deadLetterQueueName: "dead-letter-queue",
  subscriptionDeadLetterQueueName: "subscription-dead-letter-queue",
  functionNames: { connect: "connect-1a2b", deliver: "deliver-3c4d" },
};
const body = dashboardBody(subjects);

/** What each widget shows: namespace, metric and dimensions, with the statistic where it is not the widget's. */
const shown = Object.fromEntries(
  body.widgets.map(({ properties: { title, metrics } }) => [
    title,
    metrics.map((metric) => metric.filter((part) => typeof part === "string").join(" ")),
  ]),
);
const options = (title: string) =>
  body.widgets.find(({ properties }) => properties.title === title)?.properties.metrics.map((metric) => metric.at(-1));

describe("dashboardBody", () => {
  it("shows messages, ages, handshakes, connections, queues and functions", () => {
    const relay = "Relay chat-prod-relay";
    const api = "ApiId api123 Stage live";
    expect(shown).to.deep.equal({
      Messages: [
        `WebsocketRelay Delivered ${relay}`,
        `WebsocketRelay Retried ${relay}`,
        `WebsocketRelay DeadLettered ${relay}`,
      ],
      "Ages of messages": ["p50", "p99"].flatMap(() => [
        `WebsocketRelay AgeAtDelivery ${relay}`,
        `WebsocketRelay AgeAtFailedAttempt ${relay}`,
      ]),
      "Retried, by reason": [""],
      "Dead-lettered, by reason": [""],
      "Dead-lettered, to fix or because the user was away": [
        `WebsocketRelay DeadLetteredToFix ${relay}`,
        `WebsocketRelay DeadLetteredUserAway ${relay}`,
      ],
      "Topic: not delivered": [
        "AWS/SNS NumberOfNotificationsFailed TopicName topic",
        "AWS/SNS NumberOfNotificationsFailedToRedriveToDlq TopicName topic",
      ],
      "Handshakes accepted, and sessions ended with their token": [
        `WebsocketRelay HandshakesAccepted ${relay}`,
        `WebsocketRelay SessionsEnded ${relay}`,
      ],
      "Handshakes refused, by reason": [""],
      API: [`AWS/ApiGateway ConnectCount ${api}`, `AWS/ApiGateway MessageCount ${api}`],
      "API errors": ["ClientError", "IntegrationError", "ExecutionError"].map(
        (name) => `AWS/ApiGateway ${name} ${api}`,
      ),
      "Retry queue": [
        "AWS/SQS ApproximateNumberOfMessagesVisible QueueName queue",
        "AWS/SQS ApproximateNumberOfMessagesNotVisible QueueName queue",
      ],
      "Dead-letter queues": [
        "AWS/SQS ApproximateNumberOfMessagesVisible QueueName dead-letter-queue",
        "AWS/SQS ApproximateNumberOfMessagesVisible QueueName subscription-dead-letter-queue",
      ],
      "Functions: duration": ["connect-1a2b", "connect-1a2b", "deliver-3c4d", "deliver-3c4d"].map(
        (name) => `AWS/Lambda Duration FunctionName ${name}`,
      ),
      "Functions: errors and throttles": ["Errors", "Throttles"].flatMap((metric) =>
        ["connect-1a2b", "deliver-3c4d"].map((name) => `AWS/Lambda ${metric} FunctionName ${name}`),
      ),
    });
  });

  it("shows ages and durations at p50 and p99", () => {
    expect(options("Ages of messages")).to.deep.equal([
      { stat: "p50", label: "at delivery p50" },
      { stat: "p50", label: "at a failed attempt p50" },
      { stat: "p99", label: "at delivery p99" },
      { stat: "p99", label: "at a failed attempt p99" },
    ]);
    expect(options("Functions: duration")).to.deep.include({ stat: "p99", label: "deliver p99" });
  });

  it("searches for the reasons of this very relay, so that none is missed", () => {
    expect(options("Retried, by reason")).to.deep.equal([
      {
        expression:
          "SEARCH('{WebsocketRelay,Relay,Reason} MetricName=\"Retried\" Relay=\"chat-prod-relay\"', 'Sum', 300)",
        label: "${PROP('Dim.Reason')}",
      },
    ]);
    expect(JSON.stringify(options("Dead-lettered, by reason"))).to.include("DeadLettered");
    expect(JSON.stringify(options("Handshakes refused, by reason"))).to.include("HandshakesRefused");
  });

  it("draws the queue's limit of invisible messages", () => {
    const retryQueue = body.widgets.find(({ properties }) => properties.title === "Retry queue");
    expect(retryQueue?.properties.annotations?.horizontal.map(({ value }) => value)).to.deep.equal([120_000]);
  });

  it("adds only the history's widgets in replay mode", () => {
    const titles = ({ widgets }: typeof body) => widgets.map(({ properties }) => properties.title);
    const replayed = dashboardBody({ ...subjects, delivery: "replay" });
    const added = replayed.widgets.filter(({ properties }) => !titles(body).includes(properties.title));
    expect(titles(replayed)).to.have.lengthOf(titles(body).length + 3);
    expect(added.map(({ properties }) => properties.metrics.map((metric) => metric.slice(0, 4)))).to.deep.equal([
      ["Stored", "Acknowledged", "Expired"].map((name) => ["WebsocketRelay", name, "Relay", "chat-prod-relay"]),
      [
        [
          {
            expression:
              "SEARCH('{WebsocketRelay,Relay,Reason} MetricName=\"Resumed\" Relay=\"chat-prod-relay\"', 'Sum', 300)",
            label: "${PROP('Dim.Reason')}",
          },
        ],
      ],
      [["WebsocketRelay", "HistorySweepLag", "Relay", "chat-prod-relay"]],
    ]);
    expect(added.at(-1)?.properties.metrics[0]?.at(-1)).to.include({ stat: "Maximum" });
  });

  it("fills a grid of 24 columns without gap or overlap, each widget in the relay's region", () => {
    const places = body.widgets.map(({ x, y, width, height }) => [x, y, width, height]);
    expect(places).to.deep.equal(
      [0, 6, 12, 18, 24, 30, 36].flatMap((y) => [
        [0, y, 12, 6],
        [12, y, 12, 6],
      ]),
    );
    expect(new Set(body.widgets.map(({ properties }) => properties.region))).to.deep.equal(new Set(["eu-west-1"]));
  });
});
