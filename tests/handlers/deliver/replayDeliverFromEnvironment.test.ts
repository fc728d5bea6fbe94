import { expect } from "chai";
import { deliverReplayFromEnvironment } from "../../../handlers/deliver/replayDeliver";
import { deliverWithReceiptsFromEnvironment } from "../../../handlers/deliver/replayDeliverWithReceipts";

const environment = {
  ...{ TABLE_NAME: "t", HISTORY_TABLE_NAME: "h", HISTORY_RETENTION_SECONDS: "300", RELAY_NAME: "relay" },
  ...{ MANAGEMENT_ENDPOINT: "https://api.test/prod", QUEUE_URL: "https://queue.test/q" },
  ...{ DEAD_LETTER_QUEUE_URL: "https://queue.test/d", MAX_ATTEMPTS: "5" },
  ...{ BACKOFF_MIN_SECONDS: "1", BACKOFF_MAX_SECONDS: "2" },
};
const RECEIPTS_TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:receipts";

describe("deliver in replay, as it is deployed", () => {
  for (const [name, make, given] of [
    ["deliver", deliverReplayFromEnvironment, environment],
    ["deliverWithReceipts", deliverWithReceiptsFromEnvironment, { ...environment, RECEIPTS_TOPIC_ARN }],
  ] as const) {
    it(`is made by ${name} of its environment`, () => {
      expect(make(given)).to.be.a("function");
    });

    for (const variable of Object.keys(environment)) {
      it(`is not made by ${name} without ${variable}`, () => {
        expect(() => make({ ...given, [variable]: undefined })).to.throw(`${variable} is not set`);
      });
    }
  }

  it("is not made without the topic's client where there is a topic", () => {
    expect(() => deliverReplayFromEnvironment({ ...environment, RECEIPTS_TOPIC_ARN })).to.throw(
      "RECEIPTS_TOPIC_ARN is set: the component deploys deliverWithReceipts where it is",
    );
  });
});
