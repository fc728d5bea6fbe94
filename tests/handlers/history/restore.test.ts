import { expect } from "chai";
import { append } from "../../../handlers/history/append";
import type { Segment } from "../../../handlers/history/history";
import type { Hello, Resumed } from "../../../protocol";
import { setUp } from "../frames/resumeSetUp";
import { key, retentionMs } from "./segments";

/**
 * A table that is restored to a point in time: a client has seen messages that are not in it, and it grows past that
 * client's cursor before the client is back.
 */
async function restored(generation: number) {
  const relay = setUp();
  const { history, clock } = relay;
  let epochs = 0;
  const publish = async (id: string, setting = 0) => {
    const message = { stored: { id, body: id }, sentAtMs: clock.now, copySinceMs: clock.now };
    const dependencies = {
      history,
      retentionMs,
      generation: setting,
      now: () => clock.now,
      random: Math.random,
      newEpoch: () => `e${(epochs += 1)}`,
    };
    await append(key, [message], dependencies, new AbortController().signal);
    clock.now += 1;
  };
  await publish("kept 1");
  await publish("kept 2");
  const backup = new Map<number, Segment>(history.log(key).segments);
  await publish("lost 3");
  await publish("lost 4");
  const [last] = history.entries(key).slice(-1);
  const cursor = { epoch: last?.epoch ?? "", seq: last?.seq ?? 0 };

  const { segments } = history.log(key);
  segments.clear();
  for (const [first, segment] of backup) segments.set(first, segment);
  for (const id of ["new 3", "new 4", "new 5"]) await publish(id, generation);

  await relay.ask({ cursor });
  const envelopes = relay.envelopes();
  return {
    hello: envelopes.find(({ type }) => type === "hello") as Hello,
    resumed: envelopes.find(({ type }) => type === "resumed") as Resumed,
    bodies: envelopes.flatMap((envelope) => (envelope.type === "message" ? [envelope.body] : [])),
  };
}

describe("a history that is restored to a point in time", () => {
  it("begins another epoch once historyGeneration is raised, so that a client gets everything that is available", async () => {
    const { hello, resumed, bodies } = await restored(1);

    expect(hello.epoch).to.equal("e2");
    expect(resumed).to.deep.include({ recovered: false, lost: "epoch", first: 1, through: 5 });
    expect(bodies).to.deep.equal(["kept 1", "kept 2", "new 3", "new 4", "new 5"]);
  });

  it("keeps messages from a client whose cursor they have passed, as long as it is not raised", async () => {
    const { resumed, bodies } = await restored(0);

    expect(resumed).to.deep.include({ recovered: true, first: 5 });
    expect(bodies).to.deep.equal(["new 5"]);
  });
});
