import { expect } from "chai";
import { deliverReplayFromEnvironment } from "../../../handlers/deliver/deliverReplay";
import { sqsRecord } from "../../support/events";
import { fakeAws } from "../fakeAws";

const environment = {
  TABLE_NAME: "sessions",
  HISTORY_TABLE_NAME: "history",
  HISTORY_RETENTION_SECONDS: "300",
  HISTORY_GENERATION: "0",
  RELAY_NAME: "relay",
  MANAGEMENT_ENDPOINT: "https://api.test/prod",
  QUEUE_URL: "https://queue.test/queue",
  DEAD_LETTER_QUEUE_URL: "https://queue.test/dead",
  CONNECTIONS: "newest",
  MAX_ATTEMPTS: "5",
  BACKOFF_MIN_SECONDS: "1",
  BACKOFF_MAX_SECONDS: "2",
};
const RECEIPTS_TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:receipts";

/** The calls for a message that can be stored, and for one without a user, which is dead-lettered. */
async function callsWith(variables: Record<string, string>): Promise<string[]> {
  const { url, calls } = await fakeAws();
  const urls = { QUEUE_URL: `${url}/queue`, DEAD_LETTER_QUEUE_URL: `${url}/dead` };
  const handle = deliverReplayFromEnvironment({ ...environment, ...urls, ...variables });
  const Records = [
    sqsRecord({ messageId: "m1", sentAtMs: Date.now() }),
    sqsRecord({ messageId: "m2", attributes: { user: undefined } }),
  ];
  const answer = await handle({ Records }, { getRemainingTimeInMillis: () => 30_000 });
  expect(answer).to.deep.equal({ batchItemFailures: [] });
  return calls;
}

describe("deliverReplayFromEnvironment", () => {
  it("uses the tables and queues of its environment, and publishes nothing without a topic", async () => {
    expect([...new Set(await callsWith({}))]).to.have.members([
      "Query history",
      "GetItem history",
      "PutItem history",
      "BatchGetItem sessions",
      "SendMessage /dead",
    ]);
  });

  it("publishes a receipt to the topic of its environment", async () => {
    expect(await callsWith({ RECEIPTS_TOPIC_ARN })).to.include(`PublishBatch ${RECEIPTS_TOPIC_ARN}`);
  });

  for (const variable of Object.keys(environment)) {
    it(`throws without ${variable}`, () => {
      expect(() => deliverReplayFromEnvironment({ ...environment, [variable]: undefined })).to.throw(
        `${variable} is not set`,
      );
    });
  }
});
