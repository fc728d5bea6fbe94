import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { FlushRequests } from "../../../handlers/raw/flushRequests";
import type { MessageQueue } from "../../../handlers/queue/queue";
import { sqsRecord } from "../events";
import type { Faults } from "./faults";
import type { Invocation } from "./invocation";
import { queueId } from "./modelQueue";
import type { Simulation } from "./simulation";

interface Request {
  readonly id: string;
  readonly body: string;
  readonly sentAtMs: number;
  receives: number;
  isDeleted: boolean;
  /** Counts changes of its visibility: only the latest one takes effect. */
  hiding: number;
}

const DELAY_MS = 1_000;
const VISIBILITY_TIMEOUT_MS = 40_000;
const RETENTION_MS = 300_000;

/** The queue of requests to flush a raw client, whose messages are delayed, and the poller that invokes `flush`. */
export class ModelFlushQueue {
  private readonly all: Request[] = [];

  constructor(
    private readonly simulation: Simulation,
    private readonly faults: Faults,
    /** Undefined if the function has crashed. */
    private readonly flush: (event: SQSEvent) => Promise<SQSBatchResponse | undefined>,
  ) {}

  requests(invocation: Invocation): FlushRequests {
    const { faults } = this;
    return {
      send: async ({ callerId, context }, connectionId) => {
        await invocation.reach();
        if (faults.happens("flush request is rejected")) throw invocation.failure();
        this.send(JSON.stringify({ callerId, context, connectionId }));
        if (faults.happens("flush request is accepted, and the answer is lost")) throw invocation.failure();
      },
    };
  }

  client(invocation: Invocation): Pick<MessageQueue, "changeVisibility"> {
    return {
      changeVisibility: async (entries) => {
        try {
          await invocation.reach();
        } catch {
          return;
        }
        for (const { receiptHandle, visibilityTimeoutSeconds } of entries) {
          if (this.faults.happens("visibility is not changed")) continue;
          const request = this.all[Number(receiptHandle)];
          if (request) this.hide(request, visibilityTimeoutSeconds * 1000);
        }
      },
    };
  }

  private send(body: string): void {
    const sentAtMs = this.simulation.now;
    const request: Request = { id: queueId(this.all.length), body, sentAtMs, receives: 0, isDeleted: false, hiding: 0 };
    this.all.push(request);
    this.hide(request, DELAY_MS + this.simulation.latency());
  }

  private hide(request: Request, ms: number): void {
    const hiding = ++request.hiding;
    this.simulation.after(ms, () => {
      const isOver = request.isDeleted || this.simulation.now - request.sentAtMs > RETENTION_MS;
      if (request.hiding === hiding && !isOver) this.simulation.start(() => this.invoke(request));
    });
  }

  private async invoke(request: Request): Promise<void> {
    const { simulation, faults } = this;
    request.receives += 1;
    this.hide(request, VISIBILITY_TIMEOUT_MS);
    if (faults.happens("queue delivers twice")) {
      simulation.after(simulation.between(0, 20_000), () => simulation.start(() => this.invoke(request)));
    }
    const answer = await this.flush({ Records: [this.recordOf(request)] });
    if (!answer || answer.batchItemFailures.length > 0 || faults.happens("queue loses a deletion")) return;
    request.isDeleted = true;
  }

  private recordOf(request: Request): SQSEvent["Records"][number] {
    const { id, body, sentAtMs, receives } = request;
    const record = sqsRecord({
      messageId: id,
      body,
      sentAtMs: Math.floor(sentAtMs),
      attempt: receives,
      attributes: {},
    });
    return { ...record, receiptHandle: String(this.all.indexOf(request)) };
  }
}
