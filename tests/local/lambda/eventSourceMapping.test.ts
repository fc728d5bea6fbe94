import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import { expect } from "chai";
import { EventEmitter, once } from "node:events";
import { credentials, region } from "../../../local/account";
import { checkEventSourceMapping, EventSourceMapping } from "../../../local/lambda/eventSourceMapping";
import { Iam } from "../../../local/iam";
import type { Invocation, Invoker } from "../../../local/lambda/invoker";
import { Messaging } from "../../../local/messaging";
import { EventSourceMappings, eventSourceMappingResources } from "../../../local/provision/eventSourceMapping";
import type { Properties } from "../../../local/provision/resource";
import { failedItems } from "../../../local/lambda/sqsEvents";
import { Trace } from "../../../local/trace/trace";
import { refusal } from "../../support/refusal";
import { registerRole } from "../iam/roles";

const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:deliver";
const success: Invocation = { payload: null };
const failure: Invocation = {
  functionError: "Unhandled",
  payload: { errorType: "Error", errorMessage: "handler threw" },
};

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A function that the test answers for: each invocation waits until it is answered. */
class TestFunction implements Invoker {
  private readonly emitter = new EventEmitter();
  private readonly waiting: { event: SQSEvent; answer: (invocation: Invocation) => void }[] = [];
  private readonly unanswered = new Set<{ answer: (invocation: Invocation) => void }>();
  running = 0;
  private hasEnded = false;

  invoke(calledArn: string, event: unknown, caller?: unknown): Promise<Invocation> {
    expect([calledArn, caller]).to.deep.equal([functionArn, undefined]);
    if (this.hasEnded) return Promise.resolve(failure);
    this.running++;
    return new Promise((resolve) => {
      const answer = (invocation: Invocation) => {
        this.unanswered.delete(waiting);
        this.running--;
        resolve(invocation);
      };
      const waiting = { event: event as SQSEvent, answer };
      this.waiting.push(waiting);
      this.unanswered.add(waiting);
      this.emitter.emit("invoked");
    });
  }

  /** Fails what is not answered, so that a test that failed does not wait for it. */
  end(): void {
    this.hasEnded = true;
    for (const { answer } of this.unanswered) answer(failure);
  }

  /** The next invocation, with its records' bodies. */
  async next() {
    while (this.waiting.length === 0) await once(this.emitter, "invoked");
    const invocation = this.waiting.shift();
    if (!invocation) throw new Error("no invocation waits");
    return { ...invocation, bodies: invocation.event.Records.map(({ body }) => body) };
  }
}

async function start({ timeScale, queueName = "queue" }: { timeScale?: number; queueName?: string } = {}) {
  const trace = new Trace();
  const labels: string[] = [];
  trace.subscribe(({ from, to, label }) => from === "Publisher" && labels.push(`${from} -> ${to}: ${label}`));
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const iam = new Iam();
  const messaging = await Messaging.start({ trace, timeScale, log, iam });
  const sqs = new SQSClient({ endpoint: messaging.endpoint, region, credentials, maxAttempts: 1 });
  cleanUps.push(
    () => messaging.close(),
    () => sqs.destroy(),
  );
  const queue = messaging.createQueue(queueName, { VisibilityTimeout: "60" });
  const invoker = new TestFunction();
  const map = (settings: Partial<ConstructorParameters<typeof EventSourceMapping>[0]> = {}) => {
    const { endpoint } = messaging;
    const mapping = new EventSourceMapping({
      queue,
      functionArn,
      invoker,
      endpoint,
      credentials: () => ({ ...credentials, sessionToken: "local" }),
      log,
      trace,
      timeScale,
      ...settings,
    });
    cleanUps.push(
      () => mapping.stop(),
      () => invoker.end(),
    );
    return mapping;
  };
  const send = (MessageBody: string, options = {}) =>
    sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody, ...options }));
  const sendMany = async (count: number) => {
    for (let first = 0; first < count; first += 10) {
      const Entries = Array.from({ length: Math.min(10, count - first) }, (_, index) => ({
        Id: `${first + index}`,
        MessageBody: `${first + index}`,
      }));
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
    }
  };
  /** Messages that are visible, and that are not. */
  const counts = async () => {
    const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const command = new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: [...AttributeNames] });
    const { Attributes } = await sqs.send(command);
    return AttributeNames.map((name) => Number(Attributes?.[name]));
  };
  return { trace, labels, lines, log, iam, messaging, sqs, queue, invoker, map, send, sendMany, counts };
}

describe("an event source mapping", () => {
  it("gives the function messages as Lambda does", async () => {
    const { invoker, map, send, queue } = await start();
    await map().ready;
    await send("hello", {
      MessageAttributes: {
        user: { DataType: "String", StringValue: "ana" },
        bytes: { DataType: "Binary", BinaryValue: Buffer.from("b") },
      },
    });
    const { event, answer } = await invoker.next();
    answer(success);
    const [record] = event.Records;
    expect(record).to.have.keys(
      "messageId receiptHandle body attributes messageAttributes md5OfBody eventSource eventSourceARN awsRegion".split(
        " ",
      ),
    );
    expect(record).to.include({
      body: "hello",
      md5OfBody: "5d41402abc4b2a76b9719d911017c592",
      eventSource: "aws:sqs",
      eventSourceARN: queue.arn,
      awsRegion: "us-east-1",
    });
    expect(record?.attributes).to.include({ ApproximateReceiveCount: "1", SenderId: "000000000000" });
    expect(record?.attributes.SentTimestamp).to.match(/^\d{13}$/);
    expect(record?.attributes.ApproximateFirstReceiveTimestamp).to.match(/^\d{13}$/);
    expect(record?.messageAttributes).to.deep.equal({
      user: { stringValue: "ana", stringListValues: [], binaryListValues: [], dataType: "String" },
      bytes: { binaryValue: "Yg==", stringListValues: [], binaryListValues: [], dataType: "Binary" },
    });
  });

  it("deletes the messages of a batch that succeeded", async () => {
    const { invoker, map, sendMany, counts, labels } = await start();
    await sendMany(3);
    const mapping = map();
    const { bodies, answer } = await invoker.next();
    expect(bodies).to.deep.equal(["0", "1", "2"]);
    expect(await counts()).to.deep.equal([0, 3]);
    answer(success);
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 0]);
    expect(labels).to.deep.equal(["Publisher -> Lambda: batch of 3, attempt 1"]);
  });

  it("keeps the messages of a batch whose function failed until their visibility timeout ends", async () => {
    const { invoker, map, send, counts, lines, labels } = await start({ timeScale: 600 });
    const mapping = map();
    await send("hello");
    (await invoker.next()).answer(failure);
    const again = await invoker.next();
    expect(again.bodies).to.deep.equal(["hello"]);
    again.answer(success);
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 0]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain(functionArn).and.contain("handler threw");
    expect(labels.at(-1)).to.equal("Publisher -> Lambda: batch of 1, attempt 2");
  });

  it("keeps the messages of a batch whose function could not be invoked", async () => {
    const { map, send, counts, lines } = await start();
    const invoked = new EventEmitter();
    const invoke = () => {
      invoked.emit("invoked");
      return Promise.reject(new Error("no such function"));
    };
    const wasInvoked = once(invoked, "invoked");
    const mapping = map({ invoker: { invoke } });
    await send("hello");
    await wasInvoked;
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 1]);
    expect(lines[0]).to.contain("no such function");
  });

  it("keeps what ReportBatchItemFailures names and deletes the rest", async () => {
    const { invoker, map, sendMany, counts } = await start();
    await sendMany(3);
    const mapping = map({ functionResponseTypes: ["ReportBatchItemFailures"] });
    const { event, answer } = await invoker.next();
    answer({ payload: { batchItemFailures: [{ itemIdentifier: event.Records[1]?.messageId }] } });
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 1]);
  });

  it("deletes all where batchItemFailures is answered without ReportBatchItemFailures", async () => {
    const { invoker, map, send, counts } = await start();
    await send("hello");
    const mapping = map();
    const { event, answer } = await invoker.next();
    answer({ payload: { batchItemFailures: [{ itemIdentifier: event.Records[0]?.messageId }] } });
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 0]);
  });

  it("takes no message while as many invocations run as may", async () => {
    const { invoker, map, sendMany, counts } = await start();
    await sendMany(4);
    const mapping = map({ batchSize: 1, maximumConcurrency: 2 });
    const first = await invoker.next();
    const second = await invoker.next();
    expect(invoker.running).to.equal(2);
    expect(await counts()).to.deep.equal([2, 2]);
    first.answer(success);
    const third = await invoker.next();
    expect(invoker.running).to.equal(2);
    expect(await counts()).to.deep.equal([1, 2]);
    const stopped = mapping.stop();
    for (const { answer } of [second, third]) answer(success);
    await stopped;
  });

  it("fills a batch beyond one receive within the window", async () => {
    const { invoker, map, sendMany } = await start();
    await sendMany(25);
    map({ batchSize: 25, maximumBatchingWindowInSeconds: 300 });
    const { bodies, answer } = await invoker.next();
    expect(bodies).to.have.length(25);
    answer(success);
  });

  it("sends what it has when the window ends", async () => {
    const { invoker, map, send } = await start({ timeScale: 10 });
    map({ batchSize: 100, maximumBatchingWindowInSeconds: 1 });
    await send("hello");
    const { bodies, answer } = await invoker.next();
    expect(bodies).to.deep.equal(["hello"]);
    answer(success);
  });

  it("hands over at once, when it stops, what it has received within a window", async () => {
    const { invoker, map, send, counts } = await start();
    const mapping = map({ batchSize: 100, maximumBatchingWindowInSeconds: 300 });
    await send("hello");
    while ((await counts())[1] === 0);
    const stopped = mapping.stop();
    (await invoker.next()).answer(success);
    await stopped;
    expect(await counts()).to.deep.equal([0, 0]);
  });

  describe("from a FIFO queue", () => {
    const startFifo = async () => {
      const started = await start({ queueName: "queue.fifo" });
      const send = (body: string, group: string) =>
        started.send(body, { MessageGroupId: group, MessageDeduplicationId: body });
      return { ...started, send };
    };

    it("hands over a group's messages in order, with group, deduplication id and sequence number", async () => {
      const { invoker, map, send } = await startFifo();
      for (const body of ["1", "2"]) await send(body, "g");
      map();
      const { bodies, event, answer } = await invoker.next();
      expect(bodies).to.deep.equal(["1", "2"]);
      expect(event.Records[1]?.attributes).to.include({
        MessageGroupId: "g",
        MessageDeduplicationId: "2",
        SequenceNumber: "2".padStart(20, "0"),
      });
      answer(success);
    });

    it("never has a group's messages in two invocations at once, but those of others", async () => {
      const { invoker, map, send } = await startFifo();
      for (const body of ["a1", "a2"]) await send(body, "a");
      map({ batchSize: 1 });
      const first = await invoker.next();
      await send("b1", "b");
      const other = await invoker.next();
      expect([first.bodies, other.bodies]).to.deep.equal([["a1"], ["b1"]]);
      expect(invoker.running).to.equal(2);
      first.answer(success);
      const second = await invoker.next();
      expect(second.bodies).to.deep.equal(["a2"]);
      for (const { answer } of [other, second]) answer(success);
    });

    it("hands over what has failed, and what was held back with it, before what came later", async () => {
      const { invoker, map, send, sqs, queue } = await startFifo();
      for (const body of ["1", "2", "3"]) await send(body, "g");
      map();
      const { event, answer } = await invoker.next();
      await send("4", "g");
      // The later ones become visible first.
      for (const { receiptHandle: ReceiptHandle } of [...event.Records].reverse()) {
        const change = { QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout: 0 };
        await sqs.send(new ChangeMessageVisibilityCommand(change));
        if (ReceiptHandle === event.Records[1]?.receiptHandle) expect(invoker.running).to.equal(1);
      }
      const batchItemFailures = event.Records.map(({ messageId }) => ({ itemIdentifier: messageId }));
      answer({ payload: { batchItemFailures } });
      const again = await invoker.next();
      expect(again.bodies).to.deep.equal(["1", "2", "3", "4"]);
      again.answer(success);
    });
  });

  it("polls nothing while it is disabled, and again when it is enabled", async () => {
    const { invoker, map, send, counts } = await start();
    const mapping = map({ enabled: false });
    await mapping.ready;
    await send("hello");
    expect(await counts()).to.deep.equal([1, 0]);
    await mapping.update({ functionArn });
    (await invoker.next()).answer(success);
    await mapping.update({ functionArn, enabled: false });
    await send("hello");
    expect((await counts())[0]).to.equal(1);
  });

  it("changes its batch size in place", async () => {
    const { invoker, map, sendMany } = await start();
    const mapping = map({ enabled: false });
    await sendMany(3);
    await mapping.update({ functionArn, batchSize: 2 });
    const batches = [await invoker.next(), await invoker.next()];
    expect(batches.map(({ bodies }) => bodies)).to.deep.equal([["0", "1"], ["2"]]);
    for (const { answer } of batches) answer(success);
  });

  it("stops in the middle of a long poll, and takes no message after that", async () => {
    const { invoker, map, send, counts } = await start();
    const mapping = map();
    await mapping.ready;
    await mapping.stop();
    await send("hello");
    expect(await counts()).to.deep.equal([1, 0]);
    expect(invoker.running).to.equal(0);
  });

  it("says once that it cannot poll, and stops all the same", async () => {
    const { messaging, map, lines } = await start();
    await messaging.close();
    const mapping = map();
    await mapping.ready;
    while (lines.length === 0) await new Promise(setImmediate);
    await mapping.stop();
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain("polling").and.contain("ECONNREFUSED");
  });
});

describe("the answer of a function with ReportBatchItemFailures", () => {
  const event = { Records: [{ messageId: "a" }, { messageId: "b" }] } as SQSEvent;
  const cases: [claim: string, payload: unknown, failed: string[] | "all"][] = [
    ["null is a success", null, []],
    ["undefined is a success", undefined, []],
    ["an empty object is a success", {}, []],
    ["an empty list is a success", { batchItemFailures: [] }, []],
    ["a null list is a success", { batchItemFailures: null }, []],
    ["a list fails what it names", { batchItemFailures: [{ itemIdentifier: "b" }] }, ["b"]],
    ["an unknown id fails all", { batchItemFailures: [{ itemIdentifier: "b" }, { itemIdentifier: "c" }] }, "all"],
    ["an empty id fails all", { batchItemFailures: [{ itemIdentifier: "" }] }, "all"],
    ["a null id fails all", { batchItemFailures: [{ itemIdentifier: null }] }, "all"],
    ["a misspelt key fails all", { batchItemFailures: [{ ItemIdentifier: "b" }] }, "all"],
    ["a null item fails all", { batchItemFailures: [null] }, "all"],
    ["a list that is none fails all", { batchItemFailures: "b" }, "all"],
    ["a text fails all", "ok", "all"],
    ["a bare list fails all", [], "all"],
  ];
  for (const [claim, payload, failed] of cases) {
    it(claim, () => {
      const result = failedItems(event, { payload });
      expect(result === "all" ? "all" : [...result]).to.deep.equal(failed);
    });
  }

  it("an error fails all", () => expect(failedItems(event, failure)).to.equal("all"));
});

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
    const started = await start();
    const { messaging, invoker, log, trace, iam } = started;
    const timeouts: Record<string, number> = { [functionArn]: 30 };
    const functionTimeoutSeconds = (arn: string) => timeouts[arn] ?? Infinity;
    const role = registerRole(iam, "deliver", { Action: polling, Resource: started.queue.arn });
    const functionRoleArn = () => role.arn;
    const options = { messaging, invoker, functionTimeoutSeconds, functionRoleArn, iam, log, trace };
    const mappings = new EventSourceMappings(options);
    cleanUps.push(
      () => mappings.stop(),
      () => invoker.end(),
    );
    const resource = eventSourceMappingResources(mappings)["aws:lambda/eventSourceMapping:EventSourceMapping"];
    if (!resource?.update) throw new Error("no resource that can be updated");
    const inputs: Properties = { eventSourceArn: started.queue.arn, functionName: functionArn };
    const { update } = resource;
    return { ...started, resource: { ...resource, update }, mappings, inputs };
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
