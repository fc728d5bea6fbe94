import { expect } from "chai";
import pLimit from "p-limit";
import { postInOrder } from "../../../handlers/deliver/postInOrder";
import { type Message, messageOf } from "../../../handlers/messages/message";
import type { RawOutcomes } from "../../../handlers/raw/postToRaw";
import { sqsRecord } from "../../support/events";
import { now } from "../history/segments";
import { retentionMs, row, setUp as setUpReplay } from "./deliverReplaySetUp";

type Posted = ReadonlyMap<string, RawOutcomes>;

/** One message for a raw connection, whose posts end when the test says so, as does the pause after the time is up. */
function setUp() {
  const relay = setUpReplay();
  const raw = { ...row, subprotocol: undefined };
  const time = new AbortController();
  const pauses: number[] = [];
  const [posts, pause] = [promise<Posted>(), promise()];
  const message = messageOf(sqsRecord()) as Message;
  const { messageId } = message;
  const [cursor, times] = [
    { epoch: "e1", seq: 1, segmentFirst: 1 },
    { storedAtMs: now, untilMs: now + retentionMs },
  ];
  const entry = { ...cursor, ...times, messageId, body: "b", expiresAtMs: undefined, attributes: {} };
  const attempts = postInOrder(
    {
      numbered: [{ message, entry }],
      row: { ...row, connections: [raw] },
      takenBy: new Map(),
      limit: pLimit(1),
    },
    {
      ...relay,
      retentionMs,
      deadLetters: undefined,
      postToRaw: () => posts.promise,
      pause: (ms) => (pauses.push(ms), pause.promise),
    },
    time.signal,
  );
  return {
    log: relay.log,
    time,
    pauses,
    posts,
    pause,
    accepted: () => posts.resolve(new Map([[raw.connectionId, [{ kind: "accepted" }]]])),
    outcomes: async () => (await attempts).map(({ outcome }) => outcome),
  };
}

function promise<T = void>() {
  let [resolve, reject]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const its = new Promise<T>((...settle) => ([resolve, reject] = settle));
  return { promise: its, resolve: (value: T) => resolve(value), reject: (error: Error) => reject(error) };
}

describe("deliver in replay: raw clients' posts that end late", () => {
  it("are waited for, for a second and a half after the time is up", async () => {
    const { time, pauses, accepted, outcomes } = setUp();
    time.abort();
    await new Promise(setImmediate);
    expect(pauses).to.deep.equal([1_500]);
    accepted();
    expect(await outcomes()).to.deep.equal([{ kind: "delivered", connectionIds: ["c1"] }]);
  });

  it("fail then, and their end changes nothing any more", async () => {
    const { log, time, pause, accepted, outcomes } = setUp();
    time.abort();
    pause.resolve();
    expect(await outcomes()).to.deep.equal([{ kind: "failed", reason: "timeout" }]);
    expect(log.lines.at(-1)).to.deep.include({ level: "warn", event: "raw clients' posts not ended in time" });
    accepted();
    await new Promise(setImmediate);
    expect(await outcomes()).to.deep.equal([{ kind: "failed", reason: "timeout" }]);
  });

  it("leave nothing unhandled where they fail later", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    const { time, pause, posts, outcomes } = setUp();
    process.on("unhandledRejection", note);
    try {
      time.abort();
      pause.resolve();
      await outcomes();
      posts.reject(new Error("ended later"));
      await new Promise(setImmediate);
    } finally {
      process.off("unhandledRejection", note);
    }
    expect(unhandled).to.deep.equal([]);
  });

  it("are not limited before the time is up", async () => {
    const { pauses, pause, accepted, outcomes } = setUp();
    pause.resolve();
    await new Promise(setImmediate);
    accepted();
    expect(await outcomes()).to.deep.equal([{ kind: "delivered", connectionIds: ["c1"] }]);
    expect(pauses).to.deep.equal([]);
  });
});
