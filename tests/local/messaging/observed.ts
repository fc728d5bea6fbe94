import { GetQueueAttributesCommand, ReceiveMessageCommand, type Message } from "@aws-sdk/client-sqs";
import { Trace } from "../../../local/trace/trace";
import { startMessaging } from "./messagingSetUp";

export async function startObserved({ timeScale }: { timeScale?: number } = {}) {
  const trace = new Trace();
  const labels: string[] = [];
  trace.subscribe(({ from, to, label }) => labels.push(`${from} -> ${to}: ${label}`));
  const lines: string[] = [];
  const { messaging, sqs, sns } = await startMessaging({ trace, timeScale, log: (line) => lines.push(line) });

  /** Waits for messages, up to the 20 s of a long poll. */
  const receive = async (url: string, options: { VisibilityTimeout?: number } = {}): Promise<Message[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      WaitTimeSeconds: 20,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["All"],
      ...options,
    });
    return (await sqs.send(command)).Messages ?? [];
  };
  const counts = async (url: string) => {
    const command = new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
      ],
    });
    return Object.values((await sqs.send(command)).Attributes ?? {}).map(Number);
  };
  return { messaging, sqs, sns, labels, lines, receive, counts };
}

export function attributes(count: number) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`a${index}`, { DataType: "String", StringValue: `${index}` }]),
  );
}

export function redrive(target: string, maxReceiveCount?: number): string {
  return JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${target}`, maxReceiveCount });
}
