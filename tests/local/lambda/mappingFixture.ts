import { GetQueueAttributesCommand, SendMessageBatchCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import { expect } from "chai";
import { EventEmitter, once } from "node:events";
import { credentials } from "../../../local/account";
import { EventSourceMapping } from "../../../local/lambda/eventSourceMapping";
import { Iam } from "../../../local/iam/iam";
import type { Invocation, Invoker } from "../../../local/lambda/invoker";
import { Trace } from "../../../local/trace/trace";
import { afterTest } from "../../support/afterTest";
import { startMessaging } from "../messaging/messagingSetUp";

export const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:deliver";
export const success: Invocation = { payload: null };
export const failure: Invocation = {
  functionError: "Unhandled",
  payload: { errorType: "Error", errorMessage: "handler threw" },
};

/** A function that the test answers for: each invocation waits until it is answered. */
export class TestFunction implements Invoker {
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

export async function startMapped({ timeScale, queueName = "queue" }: { timeScale?: number; queueName?: string } = {}) {
  const trace = new Trace();
  const labels: string[] = [];
  trace.subscribe(({ from, to, label }) => from === "Publisher" && labels.push(`${from} -> ${to}: ${label}`));
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const iam = new Iam();
  const { messaging, sqs } = await startMessaging({ trace, timeScale, log, iam });
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
    afterTest(
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
