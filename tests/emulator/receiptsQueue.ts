import { SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import type { Receipt } from "../../protocol";
import { receipt } from "../support/schemas";
import type { EmulatedRelay } from "./emulatedRelay";

/** A backend's queue, subscribed to the relay's receipts. */
export class ReceiptsQueue {
  private constructor(
    private readonly relay: EmulatedRelay,
    private readonly url: string,
  ) {}

  static async create(relay: EmulatedRelay): Promise<ReceiptsQueue> {
    const { sns, sqs } = relay.aws;
    const TopicArn = relay.addresses.receiptsTopicArn;
    const Statement = {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: "*",
      Condition: { ArnEquals: { "aws:SourceArn": TopicArn } },
    };
    const Attributes = { Policy: JSON.stringify({ Version: "2012-10-17", Statement: [Statement] }) };
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "receipts", Attributes }));
    const { Attributes: { QueueArn: Endpoint } = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
    );
    await sns.send(
      new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint, Attributes: { RawMessageDelivery: "true" } }),
    );
    return new ReceiptsQueue(relay, QueueUrl);
  }

  /** The next receipt of that user. */
  async next(user: string): Promise<Receipt | undefined> {
    let found: Receipt | undefined;
    await this.relay.until(async () => {
      const receive = new ReceiveMessageCommand({ QueueUrl: this.url, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await this.relay.aws.sqs.send(receive);
      found = Messages.map(({ Body = "" }) => receipt(JSON.parse(Body) as Receipt)).find((each) => each.user === user);
      return found !== undefined;
    });
    return found;
  }

  async remove(): Promise<void> {
    await this.relay.aws.sqs.send(new DeleteQueueCommand({ QueueUrl: this.url }));
  }
}
