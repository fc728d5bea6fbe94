import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { MessageQueue } from "../../handlers/queue/queue";
import { sqsRecord } from "../../tests/support/events";
import type { Simulation } from "../../tests/support/property/simulation";
import { ASSUMED_MS, LIMITS } from "./limits";

export interface Publication {
  user: string;
  body: string;
  /** The message group. @default each message is a group of its own */
  group?: string;
}

export interface QueueOptions {
  batchSize: number;
  maximumConcurrency: number;
}

/** A message of the queue. */
export interface Queued extends Publication {
  id: string;
  sentAtMs: number;
  /** When it was first received, and when it was deleted. */
  receivedAtMs?: number;
  doneAtMs?: number;
  isDeadLettered: boolean;
  receives: number;
}

const UNGROUPED = "";

type Deliver = (event: SQSEvent) => Promise<SQSBatchResponse>;

interface Group {
  /** In the order of their arrival. */
  visible: Queued[];
  inFlight: number;
}

/** A standard queue with fair queues, and the poller that invokes `deliver`. */
export class FleetQueue {
  readonly messages: Queued[] = [];
  /** The most that were in flight: received and neither deleted nor visible again. */
  peakInFlight = 0;
  /** Messages that have been deleted. */
  done = 0;
  private inFlight = 0;
  private readonly groups = new Map<string, Group>();
  private readonly idle: Deliver[];
  private readonly hiddenMs = new Map<string, number>();

  /** @param environment Makes an environment of `deliver`. */
  constructor(
    private readonly simulation: Simulation,
    private readonly options: QueueOptions,
    environment: (queue: MessageQueue) => Deliver,
  ) {
    const client: MessageQueue = {
      changeVisibility: async (entries) => {
        await simulation.pause(ASSUMED_MS.table);
        for (const { receiptHandle, visibilityTimeoutSeconds } of entries) {
          this.hiddenMs.set(receiptHandle, visibilityTimeoutSeconds * 1000);
        }
      },
      deadLetter: async ({ sqsMessageId }) => {
        await simulation.pause(ASSUMED_MS.table);
        (this.messages[Number(sqsMessageId)] as Queued).isDeadLettered = true;
      },
    };
    this.idle = Array.from({ length: options.maximumConcurrency }, () => environment(client));
  }

  publish(publication: Publication): void {
    const id = String(this.messages.length);
    const message = { ...publication, id, sentAtMs: this.simulation.now, isDeadLettered: false, receives: 0 };
    this.messages.push(message);
    this.show(message);
  }

  private show(message: Queued): void {
    this.groupOf(message).visible.push(message);
    this.poll();
  }

  private groupOf({ group = UNGROUPED }: Queued): Group {
    const found = this.groups.get(group) ?? { visible: [], inFlight: 0 };
    this.groups.set(group, found);
    return found;
  }

  private poll(): void {
    while (this.inFlight < LIMITS.inFlight) {
      const deliver = this.idle.pop();
      const batch = deliver ? this.receive() : [];
      if (!deliver) return;
      if (batch.length === 0) return void this.idle.push(deliver);
      this.simulation.start(async () => {
        await this.simulation.pause(ASSUMED_MS.poll);
        await this.invoke(deliver, batch);
        this.idle.push(deliver);
        this.poll();
      });
    }
  }

  private receive(): Queued[] {
    const batch: Queued[] = [];
    for (let message; batch.length < this.options.batchSize && (message = this.takeFirst());) {
      message.receives += 1;
      message.receivedAtMs ??= this.simulation.now;
      this.count(message, 1);
      batch.push(message);
    }
    return batch;
  }

  /** The message that has waited longest. Noisy groups come last: of them, the one with the fewest messages in flight. */
  private takeFirst(): Queued | undefined {
    let best: { visible: Queued[]; rank: readonly [noisyInFlight: number, sentAtMs: number] } | undefined;
    for (const [name, { visible, inFlight }] of this.groups) {
      const [head] = visible;
      if (!head) {
        if (inFlight === 0) this.groups.delete(name);
        continue;
      }
      // Each message without a group counts as a group of its own.
      const isNoisy =
        name !== UNGROUPED && inFlight >= LIMITS.noisyInFlight && inFlight > LIMITS.noisyShare * this.inFlight;
      const rank = [isNoisy ? inFlight : 0, head.sentAtMs] as const;
      if (!best || rank[0] < best.rank[0] || (rank[0] === best.rank[0] && rank[1] < best.rank[1]))
        best = { visible, rank };
    }
    return best?.visible.shift();
  }

  private async invoke(deliver: Deliver, batch: readonly Queued[]): Promise<void> {
    const { batchItemFailures } = await deliver({ Records: batch.map(recordOf) });
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const message of batch) {
      if (failed.has(message.id)) {
        this.simulation.after(this.hiddenMs.get(message.id) ?? 0, () => {
          this.count(message, -1);
          this.show(message);
        });
      } else {
        this.count(message, -1);
        this.done += 1;
        message.doneAtMs = this.simulation.now;
      }
    }
  }

  private count(message: Queued, change: 1 | -1): void {
    this.groupOf(message).inFlight += change;
    this.inFlight += change;
    this.peakInFlight = Math.max(this.peakInFlight, this.inFlight);
  }
}

function recordOf({ id, user, body, sentAtMs, receives }: Queued): SQSEvent["Records"][number] {
  const record = sqsRecord({
    messageId: id,
    body,
    attributes: { user },
    sentAtMs: Math.floor(sentAtMs),
    attempt: receives,
  });
  return { ...record, receiptHandle: id };
}
