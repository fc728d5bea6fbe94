import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { autoname } from "../../../local/provision/autoname";
import { type EmulatedResources, inPascalCase, inText, type Properties, without } from "./resource";

/** Inputs whose attribute has another name. */
const attributeNames: Record<string, string> = {
  visibilityTimeoutSeconds: "VisibilityTimeout",
  messageRetentionSeconds: "MessageRetentionPeriod",
  receiveWaitTimeSeconds: "ReceiveMessageWaitTimeSeconds",
  maxMessageSize: "MaximumMessageSize",
};

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html */
export function sqsResources(sqs: SQSClient): EmulatedResources {
  return {
    "aws:sqs/queue:Queue": {
      async create(logicalName, inputs) {
        const name = (inputs.name as string | undefined) ?? autoname(logicalName, inputs.fifoQueue ? ".fifo" : "");
        const { QueueUrl } = await sqs.send(
          new CreateQueueCommand({
            QueueName: name,
            Attributes: attributesOf(without(inputs, "name", "tags")),
            tags: inputs.tags as Record<string, string> | undefined,
          }),
        );
        const { Attributes } = await sqs.send(
          new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
        );
        return { id: QueueUrl ?? "", outputs: { name, url: QueueUrl, arn: Attributes?.QueueArn } };
      },
      async delete(id) {
        await sqs.send(new DeleteQueueCommand({ QueueUrl: id }));
      },
    },
    "aws:sqs/queuePolicy:QueuePolicy": {
      async create(_, { queueUrl, policy }) {
        const QueueUrl = queueUrl as string;
        await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: policy as string } }));
        return { id: QueueUrl, outputs: {} };
      },
      async delete(id) {
        await sqs.send(new SetQueueAttributesCommand({ QueueUrl: id, Attributes: { Policy: "" } }));
      },
    },
  };
}

function attributesOf(inputs: Properties): Record<string, string> {
  const renamed = Object.entries(inputs).map(([key, value]) => [attributeNames[key] ?? key, value]);
  return inText(inPascalCase(Object.fromEntries(renamed) as Properties));
}
