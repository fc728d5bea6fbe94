import { expect } from "chai";
import { connectReplayFromEnvironment } from "../../../handlers/connect/connectReplay";
import { acknowledgeFromEnvironment } from "../../../handlers/frames/acknowledge";
import { resumeFromEnvironment } from "../../../handlers/frames/resume";
import { deadLetterQueueFromEnvironment } from "../../../handlers/queue/queue";
import { readFromEnvironment } from "../../../handlers/read/read";
import { historySweeperFromEnvironment } from "../../../handlers/sweepers/historySweeper";
import { connectEvent, httpEvent } from "../../support/events";
import { fakeAws } from "../fakeAws";
import { frameOf } from "./frameSetUp";

const table = { TABLE_NAME: "sessions", RELAY_NAME: "relay", MANAGEMENT_ENDPOINT: "https://api.test/prod" };
const history = { HISTORY_TABLE_NAME: "history", HISTORY_RETENTION_SECONDS: "86400" };
const retention = { HISTORY_RETENTION_SECONDS: "86400" };
const auth = { AUTH: "null", ALLOWED_ORIGINS: "null", SESSION_TTL_SECONDS: "10800", CONNECTIONS: "newest" };
const raw = { FLUSH_QUEUE_URL: "https://sqs.test/flush" };
const optional = { DEAD_LETTER_QUEUE_URL: "https://sqs.test/dead", RECEIPTS_TOPIC_ARN: "arn:topic" };

const handshake = connectEvent({
  headers: { "sec-websocket-protocol": "websocket-relay.v1" },
  query: { context: "chat", contextId: "7", user: "42" },
});
const [resumeFrame, invocation] = frameOf({ action: "resume" });
const [ackFrame] = frameOf({ action: "ack", cursor: { epoch: "e", seq: 1 } });
const unknownConnection = ["GetItem sessions", "POST /prod/@connections/c1"];

describe("a function in replay mode, made from its environment", () => {
  for (const [name, create, environment, event, calls] of [
    [
      "connect",
      connectReplayFromEnvironment,
      { ...table, ...auth, ...retention, ...raw },
      handshake,
      ["BatchGetItem sessions", "PutItem sessions", "GetItem sessions"],
    ],
    [
      "read",
      readFromEnvironment,
      { TABLE_NAME: "sessions", RELAY_NAME: "relay", ...history, AUTH: "null", ALLOWED_ORIGINS: "null" },
      httpEvent({ query: "context=chat&contextId=7&user=42" }),
      ["GetItem sessions", "Query history", "GetItem history"],
    ],
    ["resume", resumeFromEnvironment, { ...table, ...history }, resumeFrame, unknownConnection],
    ["acknowledge", acknowledgeFromEnvironment, { ...table, ...history }, ackFrame, unknownConnection],
    [
      "historySweeper",
      historySweeperFromEnvironment,
      { RELAY_NAME: "relay", ...history, HISTORY_DUE_INDEX_NAME: "due" },
      { shard: 0 },
      ["Query history due"],
    ],
  ] as const) {
    for (const [settings, given] of [
      ["", {}],
      [", with a dead-letter queue and receipts", optional],
    ] as const) {
      it(`calls what its environment names: ${name}${settings}`, async () => {
        const aws = await fakeAws();
        const hasGateway = "MANAGEMENT_ENDPOINT" in environment;
        const handler = create({
          ...environment,
          ...(hasGateway && { MANAGEMENT_ENDPOINT: `${aws.url}/prod` }),
          ...given,
        }) as (...args: unknown[]) => Promise<unknown>;
        expect(handler.length).to.be.at.most(2);
        await handler(event, invocation);
        expect([...new Set(aws.calls)]).to.have.members(calls);
      });
    }

    for (const missing of Object.keys(environment)) {
      it(`throws without a variable: ${name}, ${missing}`, () => {
        expect(() => create({ ...environment, [missing]: undefined })).to.throw(`${missing} is not set`);
      });
    }
  }

  it("asks the flush queue for what a raw client has missed", async () => {
    const aws = await fakeAws();
    const urls = { MANAGEMENT_ENDPOINT: `${aws.url}/prod`, FLUSH_QUEUE_URL: `${aws.url}/flush` };
    const handler = connectReplayFromEnvironment({ ...table, ...auth, ...retention, ...urls });
    const rawHandshake = connectEvent({ query: { context: "chat", contextId: "7", user: "42" } });
    expect(await handler(rawHandshake, invocation)).to.include({ statusCode: 200 });
    expect(aws.calls).to.include("SendMessage /flush");
  });

  it("refuses raw clients where the component says so, and needs no flush queue", async () => {
    const aws = await fakeAws();
    const handler = connectReplayFromEnvironment({ ...table, ...auth, ...retention, RAW_CLIENTS: "false" });
    const handshake = connectEvent({ query: { context: "chat", contextId: "7", user: "42" } });
    expect(await handler(handshake, invocation)).to.include({
      statusCode: 400,
    });
    expect(aws.calls).to.deep.equal([]);
  });

  it("refuses ackSeconds that no component has set", () => {
    const resume = { ...table, ...history };
    expect(() => resumeFromEnvironment({ ...resume, ACK_SECONDS: "5" })).not.to.throw();
    expect(() => resumeFromEnvironment({ ...resume, ACK_SECONDS: "soon" })).to.throw(
      'ACK_SECONDS: got "soon"; allowed: a whole',
    );
  });

  it("refuses waitingAfterSeconds that no component has set, in the history sweeper", () => {
    const sweeper = { RELAY_NAME: "relay", ...history, HISTORY_DUE_INDEX_NAME: "due" };
    expect(() => historySweeperFromEnvironment({ ...sweeper, WAITING_AFTER_SECONDS: "60" })).not.to.throw();
    expect(() => historySweeperFromEnvironment({ ...sweeper, WAITING_AFTER_SECONDS: "soon" })).to.throw(
      'WAITING_AFTER_SECONDS: got "soon"; allowed: a whole',
    );
  });

  it("has a dead-letter queue only if one is named", () => {
    expect(deadLetterQueueFromEnvironment({})).to.equal(undefined);
    expect(deadLetterQueueFromEnvironment({ DEAD_LETTER_QUEUE_URL: "https://sqs.test/dead" })).to.respondTo(
      "deadLetter",
    );
  });
});
