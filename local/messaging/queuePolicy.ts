/** What SNS asks of a queue's policy when it delivers a topic's message. */
export interface DeliveryRequest {
  topicArn: string;
  queueArn: string;
  account: string;
}

/**
 * Why a queue's policy keeps SNS from sending a topic's message to it; undefined where it lets SNS.
 * An explicit Deny wins, and what no statement allows is denied.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 *
 * @throws Error on an element or operator that is not modelled, since ignoring one could allow more than AWS does.
 */
export function deniedBecause(policy: string | undefined, request: DeliveryRequest): string | undefined {
  if (!policy) return "the queue has no policy that allows SNS to send to it";
  const { Statement: statements } = JSON.parse(policy) as { Statement?: OneOrMany<Statement> };
  const applying = many(statements).filter((statement) => applies(statement, request));
  if (applying.some(({ Effect }) => Effect === "Deny")) return "the queue's policy denies SNS sending to it";
  if (applying.some(({ Effect }) => Effect === "Allow")) return undefined;
  return `no statement of the queue's policy allows ${service} ${action} from ${request.topicArn}`;
}

const service = "sns.amazonaws.com";
const action = "sqs:SendMessage";

type OneOrMany<T> = T | T[];

interface Statement {
  Effect?: string;
  Principal?: string | Record<string, OneOrMany<string>>;
  NotPrincipal?: unknown;
  Action?: OneOrMany<string>;
  NotAction?: OneOrMany<string>;
  Resource?: OneOrMany<string>;
  NotResource?: OneOrMany<string>;
  Condition?: Record<string, Record<string, OneOrMany<string | boolean>>>;
}

function applies(statement: Statement, request: DeliveryRequest): boolean {
  if (statement.NotPrincipal !== undefined) {
    throw new Error("NotPrincipal in a queue policy is not modelled in the local run");
  }
  return (
    namesSns(statement.Principal) &&
    (statement.NotAction
      ? !many(statement.NotAction).some(coversAction)
      : many(statement.Action).some((pattern) => coversAction(pattern))) &&
    (statement.NotResource
      ? !many(statement.NotResource).some((pattern) => matches(pattern, request.queueArn))
      : many(statement.Resource).some((pattern) => matches(pattern, request.queueArn))) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => conditionHolds(operator, key, many(values).map(String), request)),
    )
  );
}

function namesSns(principal: Statement["Principal"]): boolean {
  if (principal === "*") return true;
  if (typeof principal !== "object") return false;
  return many(principal["Service"]).includes(service) || many(principal["AWS"]).includes("*");
}

/** Action names are compared without regard to case: `SQS:SendMessage` is the service's own older spelling. */
function coversAction(pattern: string): boolean {
  return matches(pattern.toLowerCase(), action.toLowerCase());
}

function conditionHolds(operator: string, key: string, values: string[], request: DeliveryRequest): boolean {
  const [, negated, test] = operators.find(([name]) => name === operator.replace(/IfExists$/, "")) ?? [];
  if (!test) throw new Error(`condition operator ${operator} in a queue policy is not modelled in the local run`);
  const actual = contextOf(request)[key.toLowerCase()];
  // A key that the request does not carry fails a condition, unless it is negated or says IfExists.
  if (actual === undefined) return Boolean(negated) || operator.endsWith("IfExists");
  return values.some((value) => test(value, actual)) !== negated;
}

function contextOf({ topicArn, account }: DeliveryRequest): Record<string, string | undefined> {
  return { "aws:sourcearn": topicArn, "aws:sourceaccount": account, "aws:securetransport": "true" };
}

type Test = (expected: string, actual: string) => boolean;

const same: Test = (expected, actual) => expected === actual;
const sameIgnoringCase: Test = (expected, actual) => expected.toLowerCase() === actual.toLowerCase();

const operators: [name: string, negated: boolean, test: Test][] = [
  ["StringEquals", false, same],
  ["StringNotEquals", true, same],
  ["StringEqualsIgnoreCase", false, sameIgnoringCase],
  ["StringLike", false, matches],
  ["StringNotLike", true, matches],
  // The two behave alike: wildcards, but within one of an ARN's six parts.
  ["ArnEquals", false, matchesArn],
  ["ArnLike", false, matchesArn],
  ["ArnNotEquals", true, matchesArn],
  ["ArnNotLike", true, matchesArn],
  ["Bool", false, sameIgnoringCase],
];

function matchesArn(pattern: string, actual: string): boolean {
  const [patterns, parts] = [arnParts(pattern), arnParts(actual)];
  return patterns.length === parts.length && parts.every((part, index) => matches(patterns[index] ?? "", part));
}

/** The last part keeps its colons. */
function arnParts(arn: string): string[] {
  const parts = arn.split(":");
  return [...parts.slice(0, 5), parts.slice(5).join(":")];
}

/** `*` stands for any characters, `?` for one. */
function matches(pattern: string, text: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${expression}$`, "s").test(text);
}

function many<T>(value: OneOrMany<T> | undefined): T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
