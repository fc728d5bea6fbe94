import type { Message } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { region } from "../account";
import type { Invocation } from "./invoker";

/**
 * The ids of the messages that a function with ReportBatchItemFailures has failed. An answer that names none, or that is
 * null or empty, is a success; a malformed one, or one that names a message that is not in the batch, fails the batch.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export function failedItems({ Records }: SQSEvent, { functionError, payload }: Invocation): Set<string> | "all" {
  if (functionError) return "all";
  if (payload === null || payload === undefined) return new Set();
  if (typeof payload !== "object" || Array.isArray(payload)) return "all";
  const { batchItemFailures } = payload as Partial<SQSBatchResponse>;
  if (batchItemFailures === null || batchItemFailures === undefined) return new Set();
  if (!Array.isArray(batchItemFailures)) return "all";
  const known = new Set(Records.map(({ messageId }) => messageId));
  const failed = (batchItemFailures as ({ itemIdentifier?: unknown } | null)[]).map((item) => item?.itemIdentifier);
  return failed.every((id): id is string => typeof id === "string" && known.has(id)) ? new Set(failed) : "all";
}

/** A received message as a Lambda function is given it. */
export function sqsRecord(message: Message, eventSourceARN: string): SQSRecord {
  return {
    messageId: message.MessageId ?? "",
    receiptHandle: message.ReceiptHandle ?? "",
    body: message.Body ?? "",
    attributes: message.Attributes as unknown as SQSRecord["attributes"],
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue, BinaryValue, DataType }]) => [
        name,
        {
          ...(StringValue !== undefined && { stringValue: StringValue }),
          ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
          stringListValues: [],
          binaryListValues: [],
          dataType: DataType ?? "String",
        },
      ]),
    ),
    md5OfBody: message.MD5OfBody ?? "",
    eventSource: "aws:sqs",
    eventSourceARN,
    awsRegion: eventSourceARN.split(":")[3] ?? region,
  };
}

/** Which attempts a batch has, in words. */
export function attempts(records: SQSRecord[]): string {
  const counts = records.map(({ attributes }) => Number(attributes.ApproximateReceiveCount));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `attempt ${least}` : `attempts ${least} to ${most}`;
}
