import { expect } from "chai";
import { deadLetterQueueFromEnvironment } from "../../../handlers/queue/queue";
import { acknowledgeFromEnvironment } from "../../../handlers/frames/acknowledge";
import { connectReplayFromEnvironment } from "../../../handlers/connect/connectReplay";
import { historySweeperFromEnvironment } from "../../../handlers/sweepers/historySweeper";
import { resumeFromEnvironment } from "../../../handlers/frames/resume";

const table = { TABLE_NAME: "sessions", RELAY_NAME: "relay", MANAGEMENT_ENDPOINT: "https://api.test/prod" };
const history = { HISTORY_TABLE_NAME: "history", HISTORY_RETENTION_SECONDS: "86400" };
const auth = { AUTH: "null", ALLOWED_ORIGINS: "null", SESSION_TTL_SECONDS: "10800" };

describe("a function of a relay that replays", () => {
  for (const [name, create, environment] of [
    ["connect", connectReplayFromEnvironment, { ...table, ...auth }],
    ["resume", resumeFromEnvironment, { ...table, ...history }],
    ["acknowledge", acknowledgeFromEnvironment, { ...table, ...history }],
    [
      "historySweeper",
      historySweeperFromEnvironment,
      { RELAY_NAME: "relay", ...history, HISTORY_EXPIRY_INDEX_NAME: "expiry" },
    ],
  ] as const) {
    it(`is made of its environment: ${name}`, () => {
      expect(create(environment)).to.be.a("function").with.property("length").that.is.at.most(2);
      expect(create({ ...environment, DEAD_LETTER_QUEUE_URL: "https://sqs.test/dead" })).to.be.a("function");
      expect(create({ ...environment, RECEIPTS_TOPIC_ARN: "arn:topic" })).to.be.a("function");
    });

    for (const missing of Object.keys(environment)) {
      it(`names what it misses of its environment: ${name}, ${missing}`, () => {
        expect(() => create({ ...environment, [missing]: undefined })).to.throw(`${missing} is not set`);
      });
    }
  }

  it("has no dead-letter queue where none is named", () => {
    expect(deadLetterQueueFromEnvironment({})).to.equal(undefined);
    expect(deadLetterQueueFromEnvironment({ DEAD_LETTER_QUEUE_URL: "https://sqs.test/dead" })).to.respondTo(
      "deadLetter",
    );
  });
});
