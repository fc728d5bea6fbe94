import { createHmac, randomBytes } from "node:crypto";
import { AwsError } from "./awsError";
import type { SqsMessage, SqsQueue } from "./fauxqs";

const maxVisibilitySeconds = 43_200;

/**
 * Checks receipt handles; fauxqs accepts any text on delete. A handle names the queue that gave it out, so none has to be
 * remembered.
 */
export class ReceiptHandles {
  private readonly secret = randomBytes(32);
  private readonly latest = new WeakMap<SqsMessage, { receiptHandle: string; receivedAtMs: number }>();

  /** `timeScale` divides visibility timeouts. */
  constructor(private readonly timeScale: number) {}

  /** Makes a queue of fauxqs give out such handles, and delete what SQS would by them. */
  sign(queue: SqsQueue): void {
    const dequeue = queue.dequeue.bind(queue);
    queue.dequeue = (...options) =>
      dequeue(...options).map((received) => {
        const inFlight = queue.inflightMessages.get(received.ReceiptHandle);
        if (!inFlight) return received;
        const receiptHandle = `${received.ReceiptHandle}.${this.signature(queue, received.ReceiptHandle)}`;
        queue.inflightMessages.delete(received.ReceiptHandle);
        queue.inflightMessages.set(receiptHandle, { ...inFlight, receiptHandle });
        this.latest.set(inFlight.message, { receiptHandle, receivedAtMs: Date.now() });
        return { ...received, ReceiptHandle: receiptHandle };
      });

    const deleteMessage = queue.deleteMessage.bind(queue);
    queue.deleteMessage = (receiptHandle) => {
      // The latest handle deletes also once its visibility timeout has ended; fauxqs says so, and gives the message again.
      const lapsed = queue.messages.findIndex((message) => this.isLatest(message, receiptHandle));
      if (lapsed >= 0) queue.messages.splice(lapsed, 1);
      return deleteMessage(receiptHandle) || lapsed >= 0;
    };
  }

  /**
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html#API_DeleteMessage_Errors
   *
   * @throws AwsError ReceiptHandleIsInvalid for a handle that the queue has never given out; InvalidParameterValue for one
   * of a FIFO queue's whose visibility timeout has ended.
   */
  checkDelete(queue: SqsQueue, receiptHandle: unknown): void {
    this.checkOrigin(queue, receiptHandle);
    queue.processTimers();
    const visible = [...queue.fifoMessages.values()].flat();
    if (visible.some((message) => this.isLatest(message, String(receiptHandle)))) {
      throw invalid(receiptHandle, "The receipt handle has expired.");
    }
  }

  /**
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
   *
   * @throws AwsError ReceiptHandleIsInvalid for a handle that the queue has never given out; InvalidParameterValue where
   * its message is not in flight, or would be for more than 12 hours.
   */
  checkChange(queue: SqsQueue, receiptHandle: unknown, visibilityTimeoutSeconds: number): void {
    this.checkOrigin(queue, receiptHandle);
    queue.processTimers();
    const inFlight = queue.inflightMessages.get(String(receiptHandle));
    if (!inFlight) {
      throw invalid(receiptHandle, "Message does not exist or is not available for visibility timeout change.");
    }
    const { receivedAtMs = Date.now() } = this.latest.get(inFlight.message) ?? {};
    const heldSeconds = ((Date.now() - receivedAtMs) * this.timeScale) / 1000;
    // A change to the whole 12 hours right after the receive is taken.
    if (Math.floor(heldSeconds) + visibilityTimeoutSeconds > maxVisibilitySeconds) {
      throw new AwsError(
        "InvalidParameterValue",
        `Value ${visibilityTimeoutSeconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout ` +
          `for the message is beyond the limit [${maxVisibilitySeconds} seconds].`,
      );
    }
  }

  private checkOrigin(queue: SqsQueue, receiptHandle: unknown): void {
    const [id = "", signature] = String(receiptHandle).split(".");
    if (signature === this.signature(queue, id)) return;
    throw new AwsError(
      "ReceiptHandleIsInvalid",
      `The input receipt handle "${String(receiptHandle)}" is not a valid receipt handle of the queue ${queue.name}.`,
    );
  }

  private isLatest(message: SqsMessage, receiptHandle: string): boolean {
    return this.latest.get(message)?.receiptHandle === receiptHandle;
  }

  private signature(queue: SqsQueue, id: string): string {
    return createHmac("sha256", this.secret).update(`${queue.arn} ${id}`).digest("base64url");
  }
}

function invalid(receiptHandle: unknown, reason: string): AwsError {
  return new AwsError(
    "InvalidParameterValue",
    `Value ${String(receiptHandle)} for parameter ReceiptHandle is invalid. Reason: ${reason}`,
  );
}
