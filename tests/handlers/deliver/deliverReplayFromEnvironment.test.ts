import { expect } from "chai";
import { deliverReplayFromEnvironment } from "../../../handlers/deliver/deliverReplay";

const environment = {
  TABLE_NAME: "t",
  HISTORY_TABLE_NAME: "h",
  HISTORY_RETENTION_SECONDS: "300",
  RELAY_NAME: "relay",
  MANAGEMENT_ENDPOINT: "https://api.test/prod",
  QUEUE_URL: "https://queue.test/q",
  DEAD_LETTER_QUEUE_URL: "https://queue.test/d",
  MAX_ATTEMPTS: "5",
  BACKOFF_MIN_SECONDS: "1",
  BACKOFF_MAX_SECONDS: "2",
};
const RECEIPTS_TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:receipts";

describe("deliver in replay mode, as it is deployed", () => {
  it("is made from its environment, with receipts and without", () => {
    expect(deliverReplayFromEnvironment(environment)).to.be.a("function");
    expect(deliverReplayFromEnvironment({ ...environment, RECEIPTS_TOPIC_ARN })).to.be.a("function");
  });

  for (const variable of Object.keys(environment)) {
    it(`is not made without ${variable}`, () => {
      expect(() => deliverReplayFromEnvironment({ ...environment, [variable]: undefined })).to.throw(
        `${variable} is not set`,
      );
    });
  }
});
