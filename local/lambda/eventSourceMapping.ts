import { setTimeout as delay } from "node:timers/promises";
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import { region } from "../account";
import type { Credentials } from "../iam/roles";
import type { Invoker } from "./invoker";
import { effective, type EventSourceMappingSettings, reportBatchItemFailures } from "./eventSourceMappingSettings";
import { attempts, failedItems, sqsRecord } from "./sqsEvents";
import type { Trace } from "../trace/trace";

export interface EventSourceMappingOptions extends EventSourceMappingSettings {
  queue: { url: string; arn: string };
  invoker: Invoker;
  /** Where SQS listens. */
  endpoint: string;
  /** The credentials of the function's current role, which the poller uses. */
  credentials: () => Credentials;
  /** Divides the batching window, as it divides the queue's times. @default real time */
  timeScale?: number;
  log: (line: string) => void;
  trace: Trace;
}

/**
 * Moves messages from a queue to a function, as Lambda's pollers do. It asks for messages only while an invocation may
 * start, so that none becomes invisible to wait for one.
 */
export class EventSourceMapping {
  /** Resolves once the first poll is under way, or has failed; at once where the mapping is disabled. */
  readonly ready: Promise<void>;

  private readonly client: SQSClient;
  private settings: Required<EventSourceMappingSettings>;
  private readonly invocations = new Set<Promise<void>>();
  private polling = new AbortController();
  private attributesReadAtMs = 0;
  private pump: Promise<void> = Promise.resolve();
  private isReady: () => void = () => undefined;
  /** Ends the wait for an invocation to end. One promise for each wait: none outlives it, with what hangs on it. */
  private wake: () => void = () => undefined;

  constructor(private readonly options: EventSourceMappingOptions) {
    this.settings = effective(options);
    // One attempt: the pump has its own pause, which `stop` ends at once.
    this.client = new SQSClient({
      endpoint: options.endpoint,
      region,
      // Expired, so that they are asked for again with each request: the function's role can change.
      credentials: () => Promise.resolve({ ...options.credentials(), expiration: new Date(0) }),
      maxAttempts: 1,
    });
    this.ready = new Promise((resolve) => (this.isReady = resolve));
    this.resume();
  }

  /** Changes settings in place; those that are absent take their defaults. Batches under way end with the former ones. */
  async update(settings: EventSourceMappingSettings): Promise<void> {
    await this.pause();
    this.settings = effective(settings);
    this.resume();
  }

  /** Ends the long poll at once, and resolves when the invocations under way have ended and are accounted for. */
  async stop(): Promise<void> {
    await this.pause();
    await Promise.all(this.invocations);
    this.client.destroy();
  }

  private resume(): void {
    this.polling = new AbortController();
    if (this.settings.enabled) this.pump = this.poll(this.polling.signal);
    else this.isReady();
  }

  private async pause(): Promise<void> {
    this.polling.abort();
    this.wake();
    await this.pump;
  }

  private async poll(signal: AbortSignal): Promise<void> {
    let failure: string | undefined;
    while (!signal.aborted) {
      try {
        if (this.invocations.size >= this.settings.maximumConcurrency) {
          await new Promise<void>((resolve) => (this.wake = resolve));
          continue;
        }
        await this.readAttributes(signal);
        const batch = await this.nextBatch(signal);
        failure = undefined;
        if (batch.length > 0) this.start(batch);
      } catch (error) {
        if (signal.aborted) break;
        this.isReady();
        const { name, message } = error as Error;
        if (failure !== message) this.options.log(`polling ${this.options.queue.arn} failed: ${name}: ${message}`);
        failure = message;
        await delay(1000, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Lambda watches the queue's backlog to scale its pollers; here a queue has one, which only has to be allowed to. */
  private async readAttributes(signal: AbortSignal): Promise<void> {
    if (Date.now() - this.attributesReadAtMs < attributesEveryMs / (this.options.timeScale ?? 1)) return;
    const command = new GetQueueAttributesCommand({
      QueueUrl: this.options.queue.url,
      AttributeNames: ["ApproximateNumberOfMessages"],
    });
    await this.client.send(command, { abortSignal: signal });
    this.attributesReadAtMs = Date.now();
  }

  /** Up to `batchSize` messages: those of the first receive, and those that arrive within the window after it. */
  private async nextBatch(signal: AbortSignal): Promise<Message[]> {
    const { batchSize, maximumBatchingWindowInSeconds } = this.settings;
    const batch = await this.receive(batchSize, 20, signal);
    const windowEnd = Date.now() + (maximumBatchingWindowInSeconds * 1000) / (this.options.timeScale ?? 1);
    while (batch.length > 0 && batch.length < batchSize && Date.now() < windowEnd) {
      try {
        // Fractions of a second, which fauxqs takes and SQS does not.
        const waitSeconds = Math.min(20, (windowEnd - Date.now()) / 1000);
        batch.push(...(await this.receive(batchSize - batch.length, waitSeconds, signal)));
      } catch (error) {
        // Received messages are invisible to others, so they are processed even if a later receive fails.
        if (!signal.aborted) this.options.log(`polling ${this.options.queue.arn} failed: ${(error as Error).message}`);
        break;
      }
    }
    return batch;
  }

  private async receive(count: number, waitSeconds: number, signal: AbortSignal): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.options.queue.url,
      MaxNumberOfMessages: Math.min(10, count),
      WaitTimeSeconds: waitSeconds,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["All"],
    });
    const answer = this.client.send(command, { abortSignal: signal });
    this.isReady();
    return (await answer).Messages ?? [];
  }

  private start(batch: Message[]): void {
    const invocation = this.process(batch)
      // A message that is not deleted is received again after its visibility timeout.
      .catch((error: Error) => this.options.log(`a batch of ${this.options.queue.arn} failed: ${error.message}`))
      .finally(() => {
        this.invocations.delete(invocation);
        this.wake();
      });
    this.invocations.add(invocation);
  }

  private async process(batch: Message[]): Promise<void> {
    const { invoker, queue, trace, log } = this.options;
    const { functionArn, functionResponseTypes } = this.settings;
    const event: SQSEvent = { Records: batch.map((message) => sqsRecord(message, queue.arn)) };
    trace.record("Publisher", "Lambda", `batch of ${batch.length}, ${attempts(event.Records)}`);
    const invocation = await invoker.invoke(functionArn, event);
    if (invocation.functionError) {
      const { errorType, errorMessage } = invocation.payload;
      log(`${functionArn} failed a batch of ${batch.length} of ${queue.arn}: ${errorType}: ${errorMessage}`);
    }
    const failed = functionResponseTypes.includes(reportBatchItemFailures)
      ? failedItems(event, invocation)
      : invocation.functionError
        ? "all"
        : new Set<string>();
    if (failed === "all") return;
    await this.delete(batch.filter(({ MessageId }) => !failed.has(String(MessageId))));
  }

  private async delete(messages: Message[]): Promise<void> {
    for (let first = 0; first < messages.length; first += 10) {
      const Entries = messages
        .slice(first, first + 10)
        .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await this.client.send(new DeleteMessageBatchCommand({ QueueUrl: this.options.queue.url, Entries }));
    }
  }
}

const attributesEveryMs = 60_000;
