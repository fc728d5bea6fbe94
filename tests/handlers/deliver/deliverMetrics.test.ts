import { expect } from "chai";
import type { PostOutcome } from "../../../handlers/connections/connectionsClient";
import { now, row, setUp } from "./deliverSetUp";
import { sqsRecord } from "../../support/events";

/** What one invocation wrote: a line for each value, as `name reason value`. */
const written = ({ metrics }: Pick<ReturnType<typeof setUp>, "metrics">) => {
  expect(metrics.flushes, "one flush an invocation").to.have.lengthOf(1);
  return metrics.flushes
    .flat()
    .map(({ name, reason, value }) => [name, reason, value].filter((part) => part !== undefined).join(" "));
};

/** The queue took it `ms` ago. */
const aged = (ms: number, given: Parameters<typeof sqsRecord>[0] = {}) => sqsRecord({ ...given, sentAtMs: now - ms });

describe("deliver: its metrics", () => {
  it("count a delivery, and how old the message was", async () => {
    const relay = setUp();
    await relay.run(aged(250));
    expect(written(relay)).to.have.members(["Delivered 1", "AgeAtDelivery 250"]);
  });

  it("measure the age of each delivery when it happens, not at the end of the batch", async () => {
    const relay = setUp();
    relay.connections.onPost = () => {
      relay.clock.now += 100;
      return Promise.resolve({ result: "delivered" });
    };
    await relay.run(aged(0, { messageId: "m1" }), aged(0, { messageId: "m2" }));
    expect(written(relay)).to.have.members(["Delivered 1", "AgeAtDelivery 100", "Delivered 1", "AgeAtDelivery 200"]);
  });

  it("count a retry by its reason, and how old the message was at the failed attempt", async () => {
    const relay = setUp();
    relay.connections.answers.set("c1", "gateway-error");
    await relay.run(aged(7_000, { attempt: 3 }));
    expect(written(relay)).to.have.members(["Retried gateway-error 1", "AgeAtFailedAttempt 7000"]);
  });

  it("have no age of a message whose user is away, which would hide those of all others", async () => {
    const relay = setUp();
    relay.sessions.rows.clear();
    await relay.run(aged(7_000, { attempt: 3 }));
    expect(written(relay)).to.have.members(["Retried no-session 1"]);
  });

  it("take no age for negative: the queue's clock is another one", async () => {
    const relay = setUp();
    await relay.run(aged(-5));
    expect(written(relay)).to.include("AgeAtDelivery 0");
  });

  it("count what is held back by the stable part of its reason", async () => {
    const relay = setUp();
    relay.connections.answers.set("c1", "throttled");
    await relay.run(aged(1, { messageId: "m1" }), aged(2, { messageId: "m2" }));
    expect(written(relay)).to.have.members([
      ...["Retried throttled 1", "AgeAtFailedAttempt 1"],
      ...["Retried held-back 1", "AgeAtFailedAttempt 2"],
    ]);
  });

  it("count what was not reached as retried", async () => {
    const relay = setUp(0);
    await relay.run(aged(9));
    expect(written(relay)).to.have.members(["Retried not-reached 1", "AgeAtFailedAttempt 9"]);
  });

  const ofUser = { counter: "DeadLetteredUserAway", ages: [] };
  const toFix = { counter: "DeadLetteredToFix", ages: ["AgeAtFailedAttempt 60"] };
  for (const [name, record, reason, { counter, ages }] of [
    ["fails in its last attempt", { attempt: 5 }, "no-session", ofUser],
    ["lacks an attribute", { attributes: { user: undefined } }, "missing-attribute", toFix],
    ["has an unusable attribute", { attributes: { context: "a#b" } }, "unusable-attribute", toFix],
    ["has expired", { attributes: { expiresAt: new Date(now).toISOString() } }, "expired", ofUser],
    ["is too large", { body: "x".repeat(131_073) }, "payload-too-large", toFix],
  ] as const) {
    it(`count a dead letter by its reason and in ${counter}, not as a retry, where a message ${name}`, async () => {
      const relay = setUp();
      relay.sessions.rows.clear();
      await relay.run(aged(60, record));
      expect(written(relay)).to.have.members([`DeadLettered ${reason} 1`, `${counter} 1`, ...ages]);
    });

    it(`count a message that ${name} as retried where it cannot be dead-lettered, and how old it was, which no other metric tells`, async () => {
      const relay = setUp();
      relay.sessions.rows.clear();
      relay.queue.deadLetterFails = true;
      await relay.run(aged(60, record));
      expect(written(relay)).to.have.members([`Retried ${reason} 1`, "AgeAtFailedAttempt 60"]);
    });
  }

  it("count each message of a mixed batch once", async () => {
    const relay = setUp();
    relay.sessions.put({ ...row, callerId: "user#43", connectionId: "c2" });
    relay.connections.answers.set("c2", "gateway-error");
    const to = (user: string | undefined, messageId: string, attempt = 1) =>
      aged(0, { messageId, attempt, attributes: { user } });
    await relay.run(
      to("42", "m1"),
      to("43", "m2"),
      to("43", "m3", 5),
      to("44", "m4"),
      to(undefined, "m5"),
      to("42", "m6"),
    );
    const counts = written(relay).filter((line) => !line.startsWith("Age"));
    expect(counts).to.have.members([
      ...["Delivered 1", "Delivered 1", "Retried gateway-error 1", "DeadLettered held-back 1"],
      ...["Retried no-session 1", "DeadLettered missing-attribute 1"],
      ...["DeadLetteredToFix 1", "DeadLetteredToFix 1"],
    ]);
    const ages = written(relay).filter((line) => line.startsWith("Age"));
    expect(ages.filter((line) => line.startsWith("AgeAtDelivery"))).to.have.lengthOf(2);
    expect(ages.filter((line) => line.startsWith("AgeAtFailedAttempt"))).to.have.lengthOf(3);
  });

  it("are written once an invocation", async () => {
    const relay = setUp();
    await relay.run(aged(1));
    await relay.run(aged(2));
    expect(relay.metrics.flushes.map((added) => added.length)).to.deep.equal([2, 2]);
  });

  it("are written for an empty batch too, with nothing in them", async () => {
    const relay = setUp();
    await relay.run();
    expect(written(relay)).to.deep.equal([]);
  });

  it("are written where the queue throws what it should not", async () => {
    const relay = setUp();
    relay.sessions.put({ ...row, callerId: "user#43", connectionId: "c2" });
    relay.connections.answers.set("c2", "throttled");
    relay.queue.changeVisibility = () => Promise.reject(new Error("a fault of ours"));
    const records = [aged(1, { messageId: "m1" }), aged(2, { messageId: "m2", attributes: { user: "43" } })];
    expect(await relay.run(...records).catch((error: Error) => error.message)).to.equal("a fault of ours");
    expect(written(relay)).to.have.members([
      ...["Delivered 1", "AgeAtDelivery 1"],
      ...["Retried throttled 1", "AgeAtFailedAttempt 2"],
    ]);
  });

  it("are written where a post is a fault of ours", async () => {
    const relay = setUp();
    relay.connections.onPost = () => Promise.reject<PostOutcome>(new Error("a fault of ours"));
    await relay.run(aged(1));
    expect(written(relay)).to.have.members(["Retried internal-error 1", "AgeAtFailedAttempt 1"]);
  });
});
