import { PublishCommand, type PublishCommandInput } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
} from "@aws-sdk/client-sqs";
import { startMessaging } from "./messagingSetUp";

export const anyone = JSON.stringify({
  Statement: [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" }],
});

/** A FIFO topic with a FIFO queue, that queue's dead-letter queue, and the subscription's. */
export async function startFifo(
  attributes: { queue?: Record<string, string>; topic?: Record<string, string>; queuePolicy?: string } = {},
) {
  const lines: string[] = [];
  const { messaging, sqs, sns } = await startMessaging({ log: (line) => lines.push(line) });
  const topicArn = messaging.createTopic("topic.fifo", attributes.topic ?? {});
  const dead = messaging.createQueue("dead.fifo", {});
  const undelivered = messaging.createQueue("undelivered.fifo", { Policy: anyone });
  const { queuePolicy = anyone } = attributes;
  const queue = messaging.createQueue("queue.fifo", {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 3 }),
    ...(queuePolicy && { Policy: queuePolicy }),
    ...attributes.queue,
  });
  messaging.subscribe(topicArn, queue.arn, {
    RawMessageDelivery: "true",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: undelivered.arn }),
  });
  const send = (MessageBody: string, group = "g", more: Partial<SendMessageCommandInput> = {}) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: queue.url,
        MessageBody,
        MessageGroupId: group,
        MessageDeduplicationId: `${group}-${MessageBody}`,
        ...more,
      }),
    );
  const publish = (Message: string, more: Partial<PublishCommandInput> = {}) =>
    sns.send(new PublishCommand({ TopicArn: topicArn, Message, MessageGroupId: "g", ...more }));
  const receive = async (QueueUrl = queue.url, most = 10): Promise<Message[]> => {
    const all = { MaxNumberOfMessages: most, MessageSystemAttributeNames: ["All" as const] };
    return (await sqs.send(new ReceiveMessageCommand({ QueueUrl, ...all }))).Messages ?? [];
  };
  const show = ({ ReceiptHandle }: Message, QueueUrl = queue.url) =>
    sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  const remove = ({ ReceiptHandle }: Message, QueueUrl = queue.url) =>
    sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return { messaging, sqs, sns, topicArn, queue, dead, undelivered, lines, send, publish, receive, show, remove };
}

export const bodies = (messages: Message[]) => messages.map(({ Body }) => Body);
