import { expect } from "chai";
import { checkEventSourceMapping } from "../../../local/lambda/eventSourceMappingSettings";
import { EventSourceMappings, eventSourceMappingResources } from "../../../local/provision/eventSourceMapping";
import type { Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { resourceOf } from "./resourceOf";
import { registerRole } from "../iam/roles";
import { functionArn, startMapped, success } from "../lambda/mappingFixture";
import { afterTest } from "../../support/afterTest";

describe("an event source mapping's settings", () => {
  const source = { queueName: "queue", visibilityTimeoutSeconds: 60, functionTimeoutSeconds: 30 };
  const fifo = { queueName: "queue.fifo" };
  const refusals: [claim: string, settings: object, message: RegExp, source?: object][] = [
    ["a function timeout above the visibility timeout", {}, /60 seconds.*61 seconds/, { functionTimeoutSeconds: 61 }],
    ["a batch size of 0", { batchSize: 0 }, /batchSize.*1 to 10000; got 0/],
    ["a batch size above 10000", { batchSize: 10_001, maximumBatchingWindowInSeconds: 1 }, /10001/],
    ["a batch size above 10 without a window", { batchSize: 11 }, /maximumBatchingWindowInSeconds.*11.*got 0/],
    ["a batch size above 10 of a FIFO queue", { batchSize: 11 }, /1 to 10; got 11/, fifo],
    ["a window of a FIFO queue", { maximumBatchingWindowInSeconds: 1 }, /FIFO/, fifo],
    ["a window above 300", { maximumBatchingWindowInSeconds: 301 }, /0 to 300; got 301/],
    ["a negative window", { maximumBatchingWindowInSeconds: -1 }, /got -1/],
    ["a concurrency of 1", { maximumConcurrency: 1 }, /maximumConcurrency.*2 to 1000; got 1/],
    ["a concurrency above 1000", { maximumConcurrency: 1001 }, /got 1001/],
    ["an unknown response type", { functionResponseTypes: ["Report"] }, /functionResponseTypes.*got Report/],
  ];
  for (const [claim, settings, message, overrides] of refusals) {
    it(`are refused with ${claim}`, () => {
      const check = () => checkEventSourceMapping({ functionArn, ...settings }, { ...source, ...overrides });
      expect(check).to.throw(message);
    });
  }

  it("are accepted at their limits", () => {
    const settings = { functionArn, batchSize: 10_000, maximumBatchingWindowInSeconds: 300, maximumConcurrency: 1000 };
    checkEventSourceMapping(settings, { ...source, functionTimeoutSeconds: 60 });
  });
});

const polling = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

describe("a provisioned event source mapping", () => {
  async function provision() {
    const started = await startMapped();
    const { messaging, invoker, log, trace, iam } = started;
    const timeouts: Record<string, number> = { [functionArn]: 30 };
    const functionTimeoutSeconds = (arn: string) => timeouts[arn] ?? Infinity;
    const role = registerRole(iam, "deliver", { Action: polling, Resource: started.queue.arn });
    const functionRoleArn = () => role.arn;
    const options = { messaging, invoker, functionTimeoutSeconds, functionRoleArn, iam, log, trace };
    const mappings = new EventSourceMappings(options);
    afterTest(
      () => mappings.stop(),
      () => invoker.end(),
    );
    const type = "aws:lambda/eventSourceMapping:EventSourceMapping";
    const resource = resourceOf(eventSourceMappingResources(mappings), type);
    const inputs: Properties = { eventSourceArn: started.queue.arn, functionName: functionArn };
    return { ...started, resource, mappings, inputs };
  }

  for (const action of polling) {
    it(`is refused to a function whose role lacks ${action}`, async () => {
      const { resource, inputs, iam } = await provision();
      const Action = polling.filter((other) => other !== action);
      registerRole(iam, "deliver", { Action, Resource: String(inputs["eventSourceArn"]) });
      const { message } = await refusal(resource.create({ name: "relay", inputs }));
      expect(message)
        .to.contain("InvalidParameterValueException: The provided execution role does not have permissions to call")
        .and.contain(`${action.slice("sqs:".length)} on SQS`);
    });
  }

  it("polls as the function's role, and says so where that may no longer", async () => {
    const { resource, inputs, invoker, iam, lines, send } = await provision();
    const { id } = await resource.create({ name: "relay", inputs });
    iam.roles.deleteInlinePolicy("deliver", "policy");
    // A poll that is under way may have been allowed; the one after it is not.
    void invoker.next().then(({ answer }) => answer(success));
    await send("hello");
    const denied = /polling .* failed: .*not authorized to perform: sqs:receivemessage on resource/;
    while (!lines.some((line) => denied.test(line))) await new Promise(setImmediate);
    await resource.delete(id, {});
  });

  it("polls from its creation to its deletion", async () => {
    const { resource, inputs, invoker, send, counts } = await provision();
    const { id, outputs } = await resource.create({ name: "relay", inputs });
    expect(outputs).to.deep.include({ uuid: id, functionArn, state: "Enabled" });
    await send("hello");
    (await invoker.next()).answer(success);
    await resource.delete(id, outputs);
    await send("hello");
    expect(await counts()).to.deep.equal([1, 0]);
  });

  it("finds its function by name, and its concurrency in scalingConfig", async () => {
    const { resource, inputs, invoker, sendMany, counts } = await provision();
    const given = { ...inputs, functionName: "deliver", batchSize: 1, scalingConfig: { maximumConcurrency: 2 } };
    await resource.create({ name: "relay", inputs: given });
    await sendMany(3);
    const batches = [await invoker.next(), await invoker.next()];
    expect(await counts()).to.deep.equal([1, 2]);
    for (const { answer } of [...batches]) answer(success);
    (await invoker.next()).answer(success);
  });

  it("changes in place, save for its queue", async () => {
    const { resource, inputs, send, counts } = await provision();
    const { id, outputs } = await resource.create({ name: "relay", inputs });
    const changed = await resource.update(id, { name: "relay", inputs: { ...inputs, enabled: false } }, outputs);
    expect(changed).to.include({ uuid: id, state: "Disabled" });
    await send("hello");
    expect(await counts()).to.deep.equal([1, 0]);
    expect(resource.replaceOnChanges).to.deep.equal(["eventSourceArn"]);
  });

  const refusals: [claim: string, inputs: Properties, message: RegExp][] = [
    [
      "a queue that does not exist",
      { eventSourceArn: "arn:aws:sqs:us-east-1:000000000000:gone" },
      /gone does not exist/,
    ],
    ["a batch size without a window", { batchSize: 11 }, /batchSize above 10/],
    ["a function whose timeout is above the queue's", { functionName: "slow" }, /visibility timeout: 60/],
  ];
  for (const [claim, given, message] of refusals) {
    it(`is refused with ${claim}`, async () => {
      const { resource, inputs } = await provision();
      const create = resource.create({ name: "relay", inputs: { ...inputs, ...given } });
      expect((await refusal(create)).message).to.match(message);
    });
  }

  it("refuses a change as it refuses a creation, and stays what it is", async () => {
    const { resource, inputs, invoker, send } = await provision();
    const { id, outputs } = await resource.create({ name: "relay", inputs });
    const change = resource.update(id, { name: "relay", inputs: { ...inputs, batchSize: 0 } }, outputs);
    expect((await refusal(change)).message).to.contain("batchSize");
    await send("hello");
    (await invoker.next()).answer(success);
  });
});
