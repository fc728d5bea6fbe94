import type * as pulumi from "@pulumi/pulumi";
import { checkedInput, problemText } from "./refuse";
import { isText } from "./values";

/** What stands already, and the relay is to use: bring your own. */
export interface ExistingArgs {
  /**
   * An SNS topic of yours that backends publish to, in the relay's region: a standard one, or a FIFO one where `ordering` is
   * `strict`. Of another account: its policy has to allow this account `sns:Subscribe`. A change **replaces** the subscription; the relay's own topic, where there was one,
   * is deleted. @default a topic of the relay's own
   */
  topicArn?: pulumi.Input<string>;
  /**
   * A DynamoDB table of yours for the sessions, in the relay's account and region: keys `caller_id` and `context`, both
   * strings, and a global index `connection` with the string `connection_id` for its only key; with
   * `auth.endSessionWithToken` an index `token-expiry` too, of the string `expiry_shard` and the number `token_expires_at`.
   * Let it expire by `expiration_date`. It holds items of one relay only. @default a table of the relay's own
   */
  tableName?: pulumi.Input<string>;
  /**
   * A customer-managed KMS key of the relay's region, by the ARN of the key: encrypts table, topic, queues, log groups and
   * the functions' environments. Its policy needs {@link kmsKeyPolicyStatements}. Where table or topic are yours, it is
   * the key that they are encrypted with, if any: the roles may use it. A change leaves the queues' messages under the
   * former key, to which the roles have no right any more: drain first, or let `deliver`'s role decrypt by that key's own
   * policy for as long. @default keys that AWS owns, or manages for SQS
   */
  kmsKeyArn?: pulumi.Input<string>;
  /** The ARN of the IAM policy that bounds every role that the relay creates. @default no boundary */
  permissionsBoundaryArn?: pulumi.Input<string>;
}

/** What is known of the relay that is to use it. */
interface User {
  /** Where it is known. */
  region?: string;
  ordering: string;
}

const problems: Record<keyof ExistingArgs, (value: unknown, relay: User) => string | undefined> = {
  topicArn: topicArnProblem,
  tableName: tableNameProblem,
  kmsKeyArn: kmsKeyArnProblem,
  permissionsBoundaryArn: permissionsBoundaryArnProblem,
};

const existingKeys = Object.keys(problems) as (keyof ExistingArgs)[];

/**
 * The arguments checked now, or as soon as they are known.
 *
 * @throws pulumi.InputPropertyError
 */
export function checkExisting(args: ExistingArgs, relay: User): ExistingArgs {
  const given = existingKeys.flatMap((key) => {
    const value = args[key];
    const problemOf = (known: unknown) => problems[key](known, relay);
    return value === undefined || value === null ? [] : [[key, checkedInput(key, value, problemOf)] as const];
  });
  return Object.fromEntries(given);
}

/** SNS subscribes a queue of another region only with steps on both sides: simpler to refuse, and to say so. */
export function topicRegionProblem(topicArn: string, queueArn: string): string | undefined {
  const [topicRegion, queueRegion] = [topicArn, queueArn].map((arn) => arn.split(":")[3]);
  return topicRegion === queueRegion
    ? undefined
    : problemText(topicArn, `a topic in the relay's region, ${queueRegion}`, "deploy the relay where the topic is");
}

function topicArnProblem(value: unknown, { ordering }: User): string | undefined {
  if (!matches(value, /^arn:[\w-]+:sns:[a-z\d-]+:\d{12}:(?=.{1,256}$)[\w-]+(\.fifo)?$/)) {
    return problemText(value, "a topic's ARN, arn:aws:sns:{region}:{account}:{name}", "copy the topic's ARN");
  }
  const isFifo = (value as string).endsWith(".fifo");
  if (isFifo === (ordering === "strict")) return undefined;
  // A standard topic loses the order, and feeds no FIFO queue; a FIFO topic's groups do not reach a standard queue.
  // https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html
  return isFifo
    ? problemText(
        value,
        'a standard topic, unless ordering is "strict"',
        'make a topic without .fifo, or set ordering to "strict"',
      )
    : problemText(
        value,
        'a FIFO topic, whose name ends with .fifo, where ordering is "strict"',
        "make a FIFO topic, or leave ordering out",
      );
}

function tableNameProblem(value: unknown): string | undefined {
  // Its name: an ARN would be a table of another account, and no policy here could grant it.
  return matches(value, /^[\w.-]{3,255}$/)
    ? undefined
    : problemText(value, "a table's name, 3 to 255 letters, digits and _.-", "give the name, not the ARN");
}

function kmsKeyArnProblem(value: unknown, { region }: User): string | undefined {
  // CloudWatch Logs and policies know a key by its own ARN only.
  if (!matches(value, /^arn:[\w-]+:kms:[a-z\d-]+:\d{12}:key\/[\w-]+$/)) {
    const allowed = "a key's ARN, arn:aws:kms:{region}:{account}:key/{id}";
    return problemText(value, allowed, "give the key's ARN, not an alias or an id");
  }
  // A key is of use in its own region only.
  const keyRegion = (value as string).split(":")[3];
  return region === undefined || keyRegion === region
    ? undefined
    : problemText(value, `a key in ${region}, the relay's region`, `make a key, or a replica of yours, in ${region}`);
}

function permissionsBoundaryArnProblem(value: unknown): string | undefined {
  return matches(value, /^arn:[\w-]+:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/)
    ? undefined
    : problemText(value, "a policy's ARN, arn:aws:iam::{account}:policy/{name}", "copy the policy's ARN");
}

function matches(value: unknown, pattern: RegExp): boolean {
  return isText(value) && pattern.test(value);
}
