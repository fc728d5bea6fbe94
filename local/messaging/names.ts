import { AwsError } from "./awsError";

/**
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
 *
 * @throws AwsError InvalidParameterValue
 */
export function checkQueueName(name: string, isFifo: boolean): void {
  if (isName(name, isFifo, 80)) return;
  throw new AwsError("InvalidParameterValue", `Value ${name} for parameter QueueName is invalid. ${rule(name, 80)}`);
}

/**
 * https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
 *
 * @throws AwsError InvalidParameter
 */
export function checkTopicName(name: string, isFifo: boolean): void {
  if (isName(name, isFifo, 256)) return;
  throw new AwsError("InvalidParameter", `Invalid parameter: Topic Name ${name}. ${rule(name, 256)}`);
}

function isName(name: string, isFifo: boolean, most: number): boolean {
  const stem = isFifo ? name.replace(/\.fifo$/, "") : name;
  return name.length <= most && name.endsWith(".fifo") === isFifo && /^[A-Za-z0-9_-]+$/.test(stem);
}

function rule(name: string, most: number): string {
  return (
    `Reason: Can only include alphanumeric characters, hyphens, or underscores. 1 to ${most} in length, ` +
    `with the suffix .fifo for FIFO and without it otherwise; this one has ${name.length}.`
  );
}
