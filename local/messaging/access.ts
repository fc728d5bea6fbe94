import { arn } from "../account";
import { AccessDenied, type AccessRequest, type Iam, type Judgement, type Principal } from "../iam/iam";
import type { Verdict } from "./fanOut";
import type { SnsStore, SqsQueue } from "./fauxqs";
import { deniedBecause, judgeDelivery, snsPrincipal } from "./queuePolicy";

type Body = Record<string, unknown>;

/** Finds the resources that requests name. */
export interface MessagingResources {
  snsStore: SnsStore;
  queueByUrl(url: string): SqsQueue | undefined;
  queueByArn(queueArn: string): SqsQueue | undefined;
}

/** Authorizes requests to queues and topics. */
export class MessagingAccess {
  constructor(
    private readonly iam: Iam,
    private readonly resources: MessagingResources,
  ) {}

  /** @throws AccessDenied */
  async checkSqs(principal: Principal, action: string, body: Body): Promise<void> {
    const queue = this.resources.queueByUrl(String(body["QueueUrl"]));
    const named = body["QueueUrl"] ?? body["QueueName"];
    const resource = queue?.arn ?? (named === undefined ? "*" : arn("sqs", String(named).split("/").at(-1) ?? ""));
    await this.iam.authorize(...this.ofQueue(principal, action, resource));
  }

  /** @throws AccessDenied */
  async checkSns(principal: Principal, action: string, body: Body): Promise<void> {
    const topicArn = String(body["TopicArn"] ?? body["TargetArn"] ?? topicOf(body));
    const { Policy: resourcePolicy, KmsMasterKeyId: key } =
      this.resources.snsStore.getTopic(topicArn)?.attributes ?? {};
    const context =
      action === "Subscribe"
        ? { "sns:Protocol": String(body["Protocol"]), "sns:Endpoint": String(body["Endpoint"]) }
        : undefined;
    // IAM has no actions for batches. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
    const named = action.replace(/Batch$/, "");
    const asked = { principal, action: `sns:${named}`, resource: topicArn, resourcePolicy, context };
    await this.iam.authorize(
      asked,
      // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
      ...this.iam.keys.requests({ principal, service: "sns", key, actions: named === "Publish" ? writing : [] }),
    );
  }

  /** What has to be allowed for an action of SQS on a queue; its key's use included. */
  ofQueue(principal: Principal, action: string, queueArn: string): AccessRequest[] {
    const { Policy: resourcePolicy, KmsMasterKeyId: key } = this.resources.queueByArn(queueArn)?.attributes ?? {};
    const named = action.replace(/Batch$/, "");
    return [
      { principal, action: `sqs:${named}`, resource: queueArn, resourcePolicy },
      ...this.iam.keys.requests({ principal, service: "sqs", key, actions: keyActions[named] ?? [] }),
    ];
  }

  /** Whether SNS may send a topic's messages to a queue, by the queue's policy and by its key's. */
  async judgeDelivery(topicArn: string, { arn: queueArn, attributes }: SqsQueue): Promise<Verdict> {
    const sending = await judgeDelivery(this.iam, attributes["Policy"], { topicArn, queueArn });
    const principal = snsPrincipal(topicArn);
    const key = attributes["KmsMasterKeyId"];
    const uses = this.iam.keys.requests({ principal, service: "sqs", key, actions: writing });
    const judgements = await Promise.all(uses.map((request) => this.iam.judge(request)));
    return {
      refusal: deniedBecause(sending) ?? judgements.map(keyDeniedBecause).find((cause) => cause !== undefined),
      record: () => [sending, ...judgements].forEach(({ record }) => record()),
    };
  }
}

function keyDeniedBecause({ request, decision }: Judgement): string | undefined {
  if (decision.allowed) return undefined;
  return `SNS may not use the queue's key: ${new AccessDenied(request, decision).message}`;
}

/** What a producer needs. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html */
const writing = ["kms:GenerateDataKey", "kms:Decrypt"];

const keyActions: Record<string, string[]> = { SendMessage: writing, ReceiveMessage: ["kms:Decrypt"] };

function topicOf({ Name, SubscriptionArn }: Body): string {
  if (Name !== undefined) return arn("sns", String(Name));
  // A subscription's ARN is its topic's with an id.
  return SubscriptionArn === undefined ? "*" : String(SubscriptionArn).split(":").slice(0, 6).join(":");
}
