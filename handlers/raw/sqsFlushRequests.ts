import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type Environment, text } from "../environment";
import type { SessionKey } from "../sessions/sessionKey";
import type { FlushRequests } from "./flushRequests";

/** Flush requests in an SQS queue, which delays them: `$connect` cannot post to its own connection. */
export class SqsFlushRequests implements FlushRequests {
  constructor(
    private readonly client: SQSClient,
    private readonly queueUrl: string,
  ) {}

  async send({ callerId, context }: SessionKey, connectionId: string, signal?: AbortSignal): Promise<void> {
    const MessageBody = JSON.stringify({ callerId, context, connectionId });
    await this.client.send(new SendMessageCommand({ QueueUrl: this.queueUrl, MessageBody }), { abortSignal: signal });
  }
}

/** The queue at `FLUSH_QUEUE_URL`. */
export function flushRequestsFromEnvironment(environment: Environment): FlushRequests {
  const client = new SQSClient({
    maxAttempts: 2,
    // Without this flag, the SDK only logs a warning when a request exceeds its timeout.
    requestHandler: { connectionTimeout: 500, requestTimeout: 1_500, throwOnRequestTimeout: true },
  });
  return new SqsFlushRequests(client, text(environment, "FLUSH_QUEUE_URL"));
}
