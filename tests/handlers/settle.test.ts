import { expect } from "chai";
import { messageOf } from "../../handlers/message";
import { settle } from "../../handlers/settle";
import { MemoryQueue, RecordedLog, RecordedMetrics } from "./boundaries";
import { sqsRecord } from "./events";

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
      ...{ queue, maxAttempts: 3, backoff: { minSeconds: 1, maxSeconds: 2 }, random: () => 0, now: () => 0, log },
      metrics: { add: () => undefined, flush: () => undefined },
    };
    expect(await settle(attempted, dependencies, new AbortController().signal)).to.deep.equal([]);
    expect(sent).to.have.lengthOf(1_000);
    expect(most).to.be.within(2, 25);
  });

  for (const [name, attempt, seconds] of [
    ["at once where it is to be tried again", 2, 0],
    [
      "after the back-off where its letter could not be sent: the queue's own redrive would soon move it without a reason",
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
        ...{ queue, maxAttempts: 3, backoff: { minSeconds: 2, maxSeconds: 60 }, random: () => 0, now: () => 0 },
        ...{ log: new RecordedLog(), metrics: new RecordedMetrics() },
      };
      expect(await settle(attempted, dependencies, new AbortController().signal)).to.deep.equal(["m1"]);
      expect(queue.visibilities.flat().map(({ visibilityTimeoutSeconds }) => visibilityTimeoutSeconds)).to.deep.equal([
        seconds,
      ]);
    });
  }
});
