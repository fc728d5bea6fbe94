import { expect } from "chai";
import { type DeadLetter, messageOf } from "../../../handlers/messages/message";
import { settle } from "../../../handlers/deliver/settle";
import { MemoryQueue, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { sqsRecord } from "../../support/events";

describe("settle", () => {
  it("sends no more dead letters at a time than the SDK has sockets for", async () => {
    let underWay = 0;
    let most = 0;
    const sent: string[] = [];
    const queue = {
      changeVisibility: () => Promise.resolve(),
      deadLetter: async ({ body }: { body: string }) => {
        most = Math.max(most, (underWay += 1));
        await new Promise(setImmediate);
        underWay -= 1;
        sent.push(body);
      },
    };
    const attempted = Array.from({ length: 1_000 }, (_, index) => ({
      message: messageOf(sqsRecord({ messageId: `m${index}`, attempt: 3 })),
      outcome: { kind: "failed", reason: "no-session" } as const,
    }));
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const dependencies = {
      queue,
      maxAttempts: 3,
      backoff: { minSeconds: 1, maxSeconds: 2 },
      random: () => 0,
      now: () => 0,
      log,
      metrics: { add: () => undefined, flush: () => undefined },
    };
    expect(await settle(attempted, dependencies, new AbortController().signal)).to.deep.equal([]);
    expect(sent).to.have.lengthOf(1_000);
    expect(most).to.be.within(2, 25);
  });

  for (const [name, attempt, seconds] of [
    ["at once where it is to be tried again", 2, 0],
    [
      "after the back-off where its dead letter could not be sent: the queue's own redrive would soon move it without a reason",
      3,
      4,
    ],
  ] as const) {
    it(`has a message that was not reached come back ${name}`, async () => {
      const queue = new MemoryQueue();
      queue.deadLetterFails = true;
      const attempted = [
        {
          message: messageOf(sqsRecord({ attempt })),
          outcome: { kind: "not-reached", reason: "not-reached" } as const,
        },
      ];
      const dependencies = {
        queue,
        maxAttempts: 3,
        backoff: { minSeconds: 2, maxSeconds: 60 },
        random: () => 0,
        now: () => 0,
        log: new RecordedLog(),
        metrics: new RecordedMetrics(),
      };
      expect(await settle(attempted, dependencies, new AbortController().signal)).to.deep.equal(["m1"]);
      expect(queue.visibilities.flat().map(({ visibilityTimeoutSeconds }) => visibilityTimeoutSeconds)).to.deep.equal([
        seconds,
      ]);
    });
  }

  describe("of a FIFO queue", () => {
    const dependenciesOf = (queue: MemoryQueue) => ({
      queue,
      maxAttempts: 3,
      backoff: { minSeconds: 2, maxSeconds: 60 },
      random: () => 0,
      now: () => 0,
      log: new RecordedLog(),
      metrics: new RecordedMetrics(),
    });
    const dead = (messageId: string, messageGroupId: string, sequenceNumber: string | undefined = messageId) => ({
      message: messageOf(sqsRecord({ messageId, body: messageId, messageGroupId, sequenceNumber, attempt: 3 })),
      outcome: { kind: "failed", reason: "throttled" } as const,
    });
    const attempted = [dead("a1", "a"), dead("b1", "b"), dead("a2", "a"), dead("a3", "a")];
    const { signal } = new AbortController();

    /** Holds the first dead letter back until nothing else moves. */
    class SlowQueue extends MemoryQueue {
      override async deadLetter(deadLetter: DeadLetter): Promise<void> {
        if (deadLetter.body === "a1") await new Promise(setImmediate);
        await super.deadLetter(deadLetter);
      }
    }

    it("dead-letters a group in its order, and the groups side by side", async () => {
      const queue = new SlowQueue();
      expect(await settle(attempted, dependenciesOf(queue), signal)).to.deep.equal([]);
      expect(queue.deadLetters.map(({ body }) => body)).to.deep.equal(["b1", "a1", "a2", "a3"]);
    });

    it("dead-letters nothing of a group before what could not be sent of it, and has it come back", async () => {
      const queue = new MemoryQueue();
      const send = queue.deadLetter.bind(queue);
      queue.deadLetter = (deadLetter) =>
        deadLetter.body === "a2" ? Promise.reject(new Error("no")) : send(deadLetter);
      expect(await settle(attempted, dependenciesOf(queue), signal)).to.deep.equal(["a2", "a3"]);
      expect(queue.deadLetters.map(({ body }) => body)).to.have.members(["a1", "b1"]);
      expect(queue.visibilities.flat().map(({ messageId }) => messageId)).to.deep.equal(["a2", "a3"]);
    });

    it("does not keep the dead letters of a standard queue's group from being sent side by side", async () => {
      const queue = new SlowQueue();
      const standard = attempted.map(({ message, outcome }) => ({
        message: { ...message, isInOrder: false },
        outcome,
      }));
      await settle(standard, dependenciesOf(queue), signal);
      expect(queue.deadLetters.map(({ body }) => body)).to.deep.equal(["b1", "a2", "a3", "a1"]);
    });
  });
});
