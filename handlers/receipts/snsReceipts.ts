import { PublishBatchCommand, SNSClient } from "@aws-sdk/client-sns";
import pLimit from "p-limit";
import { type Receipt, RECEIPT_ATTRIBUTES } from "../../protocol";
import type { Environment } from "../environment";
import { NO_RECEIPTS, type Receipts } from "./receipts";

// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
const MAX_BATCH_ENTRIES = 10;

/** Below the SDK's 50 sockets: a request that waits for a socket exceeds its connection timeout. */
const MAX_PARALLEL_CALLS = 10;

/** Receipts to an SNS topic. */
export class SnsReceipts implements Receipts {
  readonly wanted = true;

  constructor(
    private readonly client: SNSClient,
    private readonly topicArn: string,
  ) {}

  async publish(receipts: readonly Receipt[], signal?: AbortSignal): Promise<void> {
    const batches: Receipt[][] = [];
    for (let i = 0; i < receipts.length; i += MAX_BATCH_ENTRIES) batches.push(receipts.slice(i, i + MAX_BATCH_ENTRIES));
    await pLimit(MAX_PARALLEL_CALLS).map(batches, (batch) => this.publishBatch(batch, signal));
  }

  private async publishBatch(receipts: readonly Receipt[], signal?: AbortSignal): Promise<void> {
    const { Failed = [] } = await this.client.send(
      new PublishBatchCommand({
        TopicArn: this.topicArn,
        PublishBatchRequestEntries: receipts.map((receipt, index) => ({
          Id: String(index),
          Message: JSON.stringify(receipt),
          MessageAttributes: Object.fromEntries(
            Object.values(RECEIPT_ATTRIBUTES)
              // A dead letter may lack an address, and SNS refuses an empty attribute.
              .filter((name) => receipt[name] !== "")
              .map((name) => [name, { DataType: "String", StringValue: receipt[name] }]),
          ),
        })),
      }),
      { abortSignal: signal },
    );
    const [first] = Failed;
    if (!first) return;
    const why = [first.Code, first.Message].filter(Boolean).join(": ");
    throw new Error(`${Failed.length} of ${receipts.length} receipts were not accepted by the topic: ${why}`);
  }
}

/**
 * Receipts to the topic `RECEIPTS_TOPIC_ARN`; none if it is not set. The bundle of a function without receipts contains
 * `noReceipts.ts` instead of this module: the SNS client is a tenth of a bundle.
 */
export function receiptsFromEnvironment(environment: Environment): Receipts {
  const topicArn = environment.RECEIPTS_TOPIC_ARN;
  if (!topicArn) return NO_RECEIPTS;
  const client = new SNSClient({
    maxAttempts: 2,
    // Without this flag, the SDK only logs a warning when a request exceeds its timeout.
    requestHandler: { connectionTimeout: 500, requestTimeout: 1_500, throwOnRequestTimeout: true },
  });
  return new SnsReceipts(client, topicArn);
}
