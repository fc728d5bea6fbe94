import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type Environment, text } from "../environment";
import { queueClient } from "../queue/queue";
import type { SessionKey } from "../sessions/sessionKey";
import type { FlushRequest, FlushRequests } from "./flushRequests";

/** Requests through a queue of the relay's own, which delays them: a connection opens only after `$connect` has answered. */
export class SqsFlushRequests implements FlushRequests {
  constructor(
    private readonly client: SQSClient,
    private readonly queueUrl: string,
  ) {}

  async send({ callerId, context }: SessionKey, connectionId: string, signal?: AbortSignal): Promise<void> {
    const request: FlushRequest = { callerId, context, connectionId };
    const command = new SendMessageCommand({ QueueUrl: this.queueUrl, MessageBody: JSON.stringify(request) });
    await this.client.send(command, { abortSignal: signal });
  }
}

/** Requests to the queue at `FLUSH_QUEUE_URL`. */
export function flushRequestsFromEnvironment(environment: Environment): FlushRequests {
  return new SqsFlushRequests(queueClient(), text(environment, "FLUSH_QUEUE_URL"));
}
