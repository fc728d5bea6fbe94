import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { Receipt } from "./push";

/**
 * Hands each receipt of the queue to `handle`, until `signal` aborts. A receipt that it cannot handle comes again after the
 * queue's visibility timeout.
 */
export async function readReceipts(
  queueUrl: string,
  handle: (receipt: Receipt) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const sqs = new SQSClient();
  while (!signal.aborted) {
    try {
      const receive = new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 });
      const { Messages = [] } = await sqs.send(receive, { abortSignal: signal });
      for (const { Body = "", ReceiptHandle } of Messages) {
        try {
          await handle(JSON.parse(Body) as Receipt);
        } catch (error) {
          console.error(error);
          continue;
        }
        await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
      }
    } catch (error) {
      if (signal.aborted) return;
      console.error(error);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}
