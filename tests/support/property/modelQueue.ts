import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { DeadLetter } from "../../../handlers/messages/message";
import type { MessageQueue } from "../../../handlers/queue/queue";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import type { Published } from "./ledger";
import { sqsRecord } from "../events";
import type { Faults } from "./faults";
import type { Invocation } from "./invocation";
import type { Simulation } from "./simulation";

/** What the queue tells of its messages. */
export interface QueueLedger {
  find(key: SessionKey, id: string): Published;
  letter(key: SessionKey, id: string, body: string, reason: string | undefined): void;
  redriven(key: SessionKey, id: string, sqsId: string): void;
  done(key: SessionKey, id: string): void;
}

/** Undefined if the function has crashed. */
export type Deliver = (event: SQSEvent) => Promise<SQSBatchResponse | undefined>;

interface Queued {
  readonly sqsId: string;
  readonly body: string;
  readonly attributes: Record<string, string | undefined>;
  readonly sentAtMs: number;
  receives: number;
  isDeleted: boolean;
  /** Counts changes of its visibility: only the latest one takes effect. */
  hiding: number;
}

/** A message that the queue may hand out now. A copy is handed out even after a deletion: delivery is at least once. */
interface Visible {
  message: Queued;
  isCopy: boolean;
}

const BATCH_SIZE = 10;
const MAX_CONCURRENCY = 5;
/** After which a batch is delivered again if its function has crashed. */
const VISIBILITY_TIMEOUT_MS = 40_000;
const HOUR_MS = 3_600_000;
/** In the queue's ids, redriven messages have numbers above those of published ones. */
const REDRIVEN = 1e9;

/** A standard queue behind a topic, its dead-letter queue, and the poller that invokes `deliver`. */
export class ModelQueue {
  private readonly all: Queued[] = [];
  private visible: Visible[] = [];
  private invocations = 0;

  constructor(
    private readonly simulation: Simulation,
    private readonly faults: Faults,
    private readonly ledger: QueueLedger,
    private readonly retentionMs: number,
    private readonly maxAttempts: number,
    private readonly deliver: Deliver,
  ) {}

  /** Whether every message has been deleted, and none is being delivered. */
  get isEmpty(): boolean {
    return this.visible.length === 0 && this.invocations === 0 && this.all.every(({ isDeleted }) => isDeleted);
  }

  publish(body: string, attributes: Queued["attributes"], sqsId: string): void {
    const { simulation, faults } = this;
    const sentAtMs = Math.floor(simulation.now);
    const message: Queued = { sqsId, body, attributes, sentAtMs, receives: 0, isDeleted: false, hiding: 0 };
    this.all.push(message);
    this.publishedAs(message).copies += 1;
    this.hide(
      message,
      faults.happens("queue delivers late") ? simulation.between(1_000, 40_000) : simulation.latency(),
    );
  }

  /** Some connections have taken the message, and it is retried for others. */
  isPartial(sqsMessageId: string): void {
    const message = this.all.find(({ sqsId }) => sqsId === sqsMessageId);
    if (message) this.publishedAs(message).isPartial = true;
  }

  /** The function's client of the queue; its methods are calls of the invocation. */
  client(invocation: Invocation): MessageQueue {
    const { faults } = this;
    return {
      changeVisibility: async (entries) => {
        try {
          await invocation.reach();
        } catch {
          return;
        }
        for (const { receiptHandle, visibilityTimeoutSeconds } of entries) {
          if (faults.happens("visibility is not changed")) continue;
          const message = this.all[Number(receiptHandle)];
          if (message) this.hide(message, visibilityTimeoutSeconds * 1000);
        }
      },
      deadLetter: async (deadLetter) => {
        await invocation.reach();
        if (faults.happens("dead letter is rejected")) throw invocation.failure();
        this.take(deadLetter);
        if (faults.happens("dead letter is accepted, and the answer is lost")) throw invocation.failure();
      },
    };
  }

  private take({ body, attributes }: DeadLetter): void {
    const { simulation, faults } = this;
    const values = Object.fromEntries(Object.entries(attributes).map(([name, { stringValue }]) => [name, stringValue]));
    const { user, context, contextId, messageId, originalMessageId = "", reason } = values;
    const key = { callerId: `user#${user}`, context: `${context}#${contextId}` };
    this.ledger.letter(key, messageId ?? originalMessageId, body, reason);
    if (faults.stopped || reason === "expired" || !simulation.chance(0.3)) return;
    const sentAtMs = this.all.find(({ sqsId }) => sqsId === originalMessageId)?.sentAtMs ?? 0;
    simulation.after(simulation.between(1_000, 200_000), () => {
      // After that, its first copy is no longer recognized.
      if (simulation.now - sentAtMs > this.retentionMs * 0.4) return;
      faults.count("dead letter is redriven");
      const sqsId = queueId(REDRIVEN + this.all.length);
      if (messageId === undefined) this.ledger.redriven(key, originalMessageId, sqsId);
      this.publish(body, values, sqsId);
    });
  }

  private hide(message: Queued, ms: number): void {
    const hiding = ++message.hiding;
    this.simulation.after(ms, () => {
      if (message.hiding === hiding && !message.isDeleted) this.show({ message, isCopy: false });
    });
  }

  private show(visible: Visible): void {
    this.visible.push(visible);
    this.poll();
  }

  private poll(): void {
    if (this.visible.length === 0 || this.invocations >= MAX_CONCURRENCY) return;
    this.invocations += 1;
    this.simulation.start(async () => {
      await this.simulation.pause(this.simulation.between(0, 100));
      await this.invoke(this.receive());
      this.invocations -= 1;
      this.poll();
    });
  }

  private receive(): Queued[] {
    const { simulation, faults } = this;
    const batch: Queued[] = [];
    const inOrder = !faults.happens("queue delivers in another order");
    for (let i = simulation.between(1, BATCH_SIZE); i > 0 && this.visible.length > 0; i--) {
      const at = inOrder ? 0 : Math.floor(simulation.random() * this.visible.length);
      const [{ message, isCopy }] = this.visible.splice(at, 1) as [Visible];
      if (message.isDeleted && !isCopy) continue;
      message.receives += 1;
      batch.push(message);
      this.hide(message, VISIBILITY_TIMEOUT_MS);
      if (!faults.happens("queue delivers twice")) continue;
      const isLate = simulation.chance(0.2);
      const soonMs = simulation.chance(0.5) ? simulation.latency() : simulation.between(1_000, 60_000);
      simulation.after(isLate ? simulation.between(1, 10) * HOUR_MS : soonMs, () => {
        // No copy is later than that: the retention must be longer.
        if (simulation.now - message.sentAtMs > this.retentionMs * 0.9) return;
        if (isLate) faults.count("queue delivers twice, hours later");
        this.show({ message, isCopy: true });
      });
    }
    return batch;
  }

  private async invoke(batch: readonly Queued[]): Promise<void> {
    if (batch.length === 0) return;
    const answer = await this.deliver({ Records: batch.map((message) => this.recordOf(message)) });
    if (!answer) return;
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const message of batch) {
      if (failed.has(message.sqsId) || this.faults.happens("queue loses a deletion")) continue;
      if (message.isDeleted) continue;
      message.isDeleted = true;
      const published = this.publishedAs(message);
      published.copies -= 1;
      published.isExhausted ||= message.receives >= this.maxAttempts;
      this.ledger.done(published.key, published.id);
    }
  }

  private publishedAs({ sqsId, attributes }: Queued): Published {
    const { user, context, contextId, messageId, originalMessageId = sqsId } = attributes;
    return this.ledger.find(
      { callerId: `user#${user}`, context: `${context}#${contextId}` },
      messageId ?? originalMessageId,
    );
  }

  private recordOf(message: Queued): SQSEvent["Records"][number] {
    const { sqsId, body, attributes, sentAtMs, receives } = message;
    const record = sqsRecord({ messageId: sqsId, body, attributes, sentAtMs, attempt: receives });
    return { ...record, receiptHandle: String(this.all.indexOf(message)) };
  }
}

/** An id in the format of SQS. */
export function queueId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** The attributes with which a message is published. */
export function attributesOf({ key, id, expiresAtMs }: Published, hasId: boolean): Queued["attributes"] {
  const [context = "", contextId = ""] = key.context.split("#");
  return {
    user: key.callerId.slice("user#".length),
    context,
    contextId,
    messageId: hasId ? id : undefined,
    expiresAt: expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString(),
  };
}
