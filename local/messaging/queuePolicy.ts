import type { Iam, Judgement, Principal } from "../iam/iam";

/** A delivery by SNS, as a queue's policy sees it. */
export interface DeliveryRequest {
  topicArn: string;
  queueArn: string;
}

/** SNS, which delivers a topic's messages. */
export function snsPrincipal(topicArn: string): Principal {
  return { kind: "service", service: "sns.amazonaws.com", sourceArn: topicArn };
}

/** Whether a queue's policy lets SNS send a topic's message to it. */
export async function judgeDelivery(
  iam: Iam,
  resourcePolicy: string | undefined,
  { topicArn, queueArn }: DeliveryRequest,
): Promise<Judgement> {
  const principal = snsPrincipal(topicArn);
  return iam.judge({ principal, action: "sqs:SendMessage", resource: queueArn, resourcePolicy });
}

/** Why SNS cannot send; undefined where it can. */
export function deniedBecause({ request, decision }: Judgement): string | undefined {
  if (decision.allowed) return undefined;
  if ("unusable" in decision) return `the queue's policy cannot be evaluated: ${decision.reason}`;
  if (!request.resourcePolicy) return "the queue has no policy that allows SNS to send to it";
  if (decision.explicit) return "the queue's policy denies SNS sending to it";
  const topicArn = request.principal.kind === "service" ? request.principal.sourceArn : undefined;
  return `no statement of the queue's policy allows sns.amazonaws.com sqs:SendMessage from ${topicArn}`;
}
