import type { SqsQueue } from "./fauxqs";
import { checkTopicName } from "./names";
import { checkSubscription, checkSubscriptionAttributes, checkTopicAttributes, invalid } from "./topicAttributes";

/** The state that requests of SNS clients are checked against. */
export interface SnsRequestContext {
  queueByArn(arn: string): SqsQueue | undefined;
  subscription(arn: string): { topicArn: string; endpoint: string; attributes: Record<string, string> } | undefined;
}

type Parameters = Record<string, string | undefined>;

/** Action -> checks that SNS makes and fauxqs does not. Publishing has a file of its own. */
const actions: Record<string, (parameters: Parameters, context: SnsRequestContext) => void> = {
  CreateTopic(parameters) {
    const attributes = attributesOf(parameters);
    const name = parameters["Name"] ?? "";
    checkTopicName(name, attributes["FifoTopic"] === "true");
    checkTopicAttributes(name, attributes);
  },
  SetTopicAttributes({ TopicArn = "", AttributeName = "", AttributeValue = "" }) {
    checkTopicAttributes(TopicArn, { [AttributeName]: AttributeValue });
  },
  Subscribe(parameters, { queueByArn }) {
    const { TopicArn: topicArn = "", Protocol = "", Endpoint: queueArn = "" } = parameters;
    if (Protocol !== "sqs") throw invalid("Protocol", Protocol, "only sqs is modelled in the local run");
    checkSubscription(attributesOf(parameters), { topicArn, queueArn, queue: queueByArn(queueArn) });
  },
  SetSubscriptionAttributes({ SubscriptionArn = "", AttributeName = "", AttributeValue = "" }, context) {
    const subscription = context.subscription(SubscriptionArn);
    // fauxqs answers that it does not exist.
    if (!subscription) return;
    const { topicArn, endpoint: queueArn, attributes } = subscription;
    checkSubscriptionAttributes({ ...attributes, [AttributeName]: AttributeValue }, { topicArn, queueArn });
  },
};

/** @throws AwsError where SNS refuses a request and fauxqs does not. */
export function checkSnsRequest(action: string, parameters: Parameters, context: SnsRequestContext): void {
  actions[action]?.(parameters, context);
}

function attributesOf(parameters: Parameters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([key, name]) => {
      const [, number] = /^Attributes\.entry\.(\d+)\.key$/.exec(key) ?? [];
      return number === undefined ? [] : [[name ?? "", parameters[`Attributes.entry.${number}.value`] ?? ""]];
    }),
  );
}
