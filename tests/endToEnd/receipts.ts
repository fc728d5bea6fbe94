import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { Receipt } from "../../protocol";
import { receipt } from "../support/schemas";
import type { Relay } from "./relay";

/** What a program adds for a backend that asks for the `relay`'s receipts: a queue, subscribed to the topic. */
export const receiptsQueue = `
const receipts = new aws.sqs.Queue("receipts", { name: "receipts" });
const mayTell = new aws.sqs.QueuePolicy("receipts", {
  queueUrl: receipts.url,
  policy: pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: receipts.arn,
        Condition: { ArnEquals: { "aws:SourceArn": relay.receiptsTopicArn! } },
      },
    ],
  }),
});
new aws.sns.TopicSubscription(
  "receipts",
  { topic: relay.receiptsTopicArn!, protocol: "sqs", endpoint: receipts.arn, rawMessageDelivery: true },
  { dependsOn: [mayTell] },
);
`;

/** The backend that gets the receipts: it keeps all that came. */
export class ReceiptsInbox {
  readonly receipts: Receipt[] = [];
  private readonly sqs: SQSClient;
  private readonly QueueUrl: string;

  constructor(private readonly relay: Relay) {
    const { addresses } = relay;
    const { region, accessKeyId, secretAccessKey, awsEndpoint: endpoint, queueUrl } = addresses;
    this.sqs = new SQSClient({ region, credentials: { accessKeyId, secretAccessKey }, endpoint });
    this.QueueUrl = queueUrl.replace(/[^/]+$/, "receipts");
  }

  /** The first receipt of a message, past or to come, that says so. */
  async receipt(messageId: string, status: Receipt["status"]): Promise<Receipt> {
    const { QueueUrl } = this;
    for (;;) {
      const found = this.receipts.find((each) => each.messageId === messageId && each.status === status);
      if (found) return found;
      const { Messages = [] } = await this.sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 }),
        { abortSignal: this.relay.signal },
      );
      for (const { Body = "", ReceiptHandle } of Messages) {
        this.receipts.push(receipt(JSON.parse(Body) as Receipt));
        await this.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }

  close(): void {
    this.sqs.destroy();
  }
}
