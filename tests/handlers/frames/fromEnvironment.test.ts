import { expect } from "chai";
import { deadLetterQueueFromEnvironment } from "../../../handlers/queue/queue";
import { acknowledgeFromEnvironment } from "../../../handlers/frames/acknowledge";
import { acknowledgeWithReceiptsFromEnvironment } from "../../../handlers/frames/acknowledgeWithReceipts";
import { connectReplayFromEnvironment } from "../../../handlers/connect/replayConnect";
import { expireFromEnvironment } from "../../../handlers/sweepers/historySweeper";
import { expireWithReceiptsFromEnvironment } from "../../../handlers/sweepers/historySweeperWithReceipts";
import { resumeFromEnvironment } from "../../../handlers/frames/resume";
import { resumeWithReceiptsFromEnvironment } from "../../../handlers/frames/resumeWithReceipts";

const table = { TABLE_NAME: "sessions", RELAY_NAME: "relay", MANAGEMENT_ENDPOINT: "https://api.test/prod" };
const history = { HISTORY_TABLE_NAME: "history", HISTORY_RETENTION_SECONDS: "86400" };
const auth = { AUTH: "null", ALLOWED_ORIGINS: "null", SESSION_TTL_SECONDS: "10800" };

describe("a function of a relay that replays", () => {
  for (const [name, create, environment] of [
    ["connect", connectReplayFromEnvironment, { ...table, ...auth }],
    ["resume", resumeFromEnvironment, { ...table, ...history }],
    ["acknowledge", acknowledgeFromEnvironment, { ...table, ...history }],
    ["expire", expireFromEnvironment, { RELAY_NAME: "relay", ...history, HISTORY_EXPIRY_INDEX_NAME: "expiry" }],
  ] as const) {
    it(`is made of its environment: ${name}`, () => {
      expect(create(environment)).to.be.a("function").with.property("length").that.is.at.most(2);
      expect(create({ ...environment, DEAD_LETTER_QUEUE_URL: "https://sqs.test/dead" })).to.be.a("function");
    });

    for (const missing of Object.keys(environment)) {
      it(`names what it misses of its environment: ${name}, ${missing}`, () => {
        expect(() => create({ ...environment, [missing]: undefined })).to.throw(`${missing} is not set`);
      });
    }
  }

  for (const [name, create, createWithReceipts] of [
    ["resume", resumeFromEnvironment, resumeWithReceiptsFromEnvironment],
    ["acknowledge", acknowledgeFromEnvironment, acknowledgeWithReceiptsFromEnvironment],
    ["expire", expireFromEnvironment, expireWithReceiptsFromEnvironment],
  ] as const) {
    it(`is another module where there are receipts: ${name}`, () => {
      const environment = {
        ...table,
        ...history,
        HISTORY_EXPIRY_INDEX_NAME: "expiry",
        RECEIPTS_TOPIC_ARN: "arn:topic",
      };
      expect(() => create(environment)).to.throw(
        `RECEIPTS_TOPIC_ARN is set: the component deploys ${name}WithReceipts where it is`,
      );
      expect(createWithReceipts(environment)).to.be.a("function").with.property("length").that.is.at.most(2);
    });
  }

  it("has no dead-letter queue where none is named", () => {
    expect(deadLetterQueueFromEnvironment({})).to.equal(undefined);
    expect(deadLetterQueueFromEnvironment({ DEAD_LETTER_QUEUE_URL: "https://sqs.test/dead" })).to.respondTo(
      "deadLetter",
    );
  });
});
