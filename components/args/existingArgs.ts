import type * as pulumi from "@pulumi/pulumi";
import { checkedInput, problemText } from "./refuse";
import { isText } from "./values";

/** Existing resources to use instead of creating new ones. */
export interface ExistingArgs {
  /**
   * An SNS topic of yours that backends publish to, in the relay's region: a standard topic, or a FIFO topic where `ordering`
   * is `strict`. The policy of a topic of another account has to allow this account `sns:Subscribe`. A change **replaces** the
   * subscription and deletes a topic that the relay created. @default the relay creates a topic
   */
  topicArn?: pulumi.Input<string>;
  /**
   * The name of a DynamoDB table of yours for the sessions of this relay alone, in its account and region. Keys: `caller_id` and
   * `context`, both strings. Unless `connectionIndex` is false, a global index `connection`: the string `connection_id`. With
   * `auth.endSessionWithToken` a global index `token-expiry`: the string `expiry_shard` and the number `token_expires_at`.
   * TTL attribute: `expiration_date`. @default the relay creates a table
   */
  tableName?: pulumi.Input<string>;
  /**
   * The ARN of a customer-managed KMS key in the relay's region that encrypts tables, topics, queues, log groups and the
   * functions' environments. If table or topic are yours, give the key that they are encrypted with. Its policy needs
   * {@link kmsKeyPolicyStatements}. After a change, messages in the queues are still encrypted with the former key, which the
   * roles may no longer use: drain the queues first, or let that key's policy allow `deliver`'s role to decrypt until they
   * are empty. @default AWS's own keys encrypt them
   */
  kmsKeyArn?: pulumi.Input<string>;
  /** The ARN of the IAM policy that bounds every role that the relay creates. @default the roles have no boundary */
  permissionsBoundaryArn?: pulumi.Input<string>;
}

/** Properties of the relay that the checks depend on. */
interface RelayContext {
  /** Undefined if it is not known. */
  region?: string;
  ordering: string;
}

const problems: Record<keyof ExistingArgs, (value: unknown, relay: RelayContext) => string | undefined> = {
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
export function checkExisting(args: ExistingArgs, relay: RelayContext): ExistingArgs {
  const given = existingKeys.flatMap((key) => {
    const value = args[key];
    const problemOf = (known: unknown) => problems[key](known, relay);
    return value === undefined || value === null ? [] : [[key, checkedInput(key, value, problemOf)] as const];
  });
  return Object.fromEntries(given);
}

/** Subscribing a queue in another region takes manual steps on both sides, so it is refused. */
export function topicRegionProblem(topicArn: string, queueArn: string): string | undefined {
  const [topicRegion, queueRegion] = [topicArn, queueArn].map((arn) => arn.split(":")[3]);
  return topicRegion === queueRegion
    ? undefined
    : problemText(topicArn, `a topic in the relay's region, ${queueRegion}`, "deploy the relay where the topic is");
}

function topicArnProblem(value: unknown, { ordering }: RelayContext): string | undefined {
  if (!matches(value, /^arn:[\w-]+:sns:[a-z\d-]+:\d{12}:(?=.{1,256}$)[\w-]+(\.fifo)?$/)) {
    return problemText(value, "a topic's ARN, arn:aws:sns:{region}:{account}:{name}", "copy the topic's ARN");
  }
  const isFifo = (value as string).endsWith(".fifo");
  if (isFifo === (ordering === "strict")) return undefined;
  // A standard topic does not keep the order and cannot feed a FIFO queue; a standard queue ignores a FIFO topic's groups.
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
        "create a FIFO topic, or leave ordering out",
      );
}

function tableNameProblem(value: unknown): string | undefined {
  // An ARN can name a table of another account, which no policy of the relay's roles could grant.
  return matches(value, /^[\w.-]{3,255}$/)
    ? undefined
    : problemText(value, "a table's name, 3 to 255 letters, digits and _.-", "give the name, not the ARN");
}

function kmsKeyArnProblem(value: unknown, { region }: RelayContext): string | undefined {
  // CloudWatch Logs and policies accept only the ARN of the key itself.
  if (!matches(value, /^arn:[\w-]+:kms:[a-z\d-]+:\d{12}:key\/[\w-]+$/)) {
    const allowed = "a key's ARN, arn:aws:kms:{region}:{account}:key/{id}";
    return problemText(value, allowed, "give the key's ARN, not an alias or an id");
  }
  // A key can be used in its own region only.
  const keyRegion = (value as string).split(":")[3];
  return region === undefined || keyRegion === region
    ? undefined
    : problemText(value, `a key in ${region}, the relay's region`, `create a key, or a replica of yours, in ${region}`);
}

function permissionsBoundaryArnProblem(value: unknown): string | undefined {
  return matches(value, /^arn:[\w-]+:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/)
    ? undefined
    : problemText(value, "a policy's ARN, arn:aws:iam::{account}:policy/{name}", "copy the policy's ARN");
}

function matches(value: unknown, pattern: RegExp): boolean {
  return isText(value) && pattern.test(value);
}
