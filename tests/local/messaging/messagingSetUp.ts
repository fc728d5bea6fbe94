import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { credentials, region } from "../../../local/account";
import { Messaging, type MessagingOptions } from "../../../local/messaging/messaging";
import { Trace } from "../../../local/trace/trace";
import { afterTest } from "../../support/afterTest";

/** SNS and SQS with a client of each, until the test ends. */
export async function startMessaging(
  options: Partial<MessagingOptions> = {},
): Promise<{ messaging: Messaging; sqs: SQSClient; sns: SNSClient }> {
  const messaging = await Messaging.start({ trace: new Trace(), log: () => undefined, ...options });
  const settings = { endpoint: messaging.endpoint, region, credentials, maxAttempts: 1 };
  const sqs = new SQSClient(settings);
  const sns = new SNSClient(settings);
  afterTest(
    () => messaging.close(),
    () => sqs.destroy(),
    () => sns.destroy(),
  );
  return { messaging, sqs, sns };
}
