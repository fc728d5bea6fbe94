import * as pulumi from "@pulumi/pulumi";
import { problemText, refuse, refuseProblem } from "./refuse";
import { isText } from "./values";

/** The settings that the derived names depend on. */
interface NamedRelay {
  delivery: "retry" | "replay";
  ordering: "standard" | "strict";
  gatewayLogs?: { accountRole: string };
  alarms?: unknown;
  dashboard: boolean;
}

/** A name that AWS receives. */
interface DerivedName {
  /** `the IAM role` */
  what: string;
  name: string;
  maxLength: number;
}

/** Pulumi appends seven random hexadecimal digits to a resource's name. */
const randomSuffix = "-1234567";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const maxRoleNameLength = 64;
/** `.fifo` included. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html */
const maxQueueNameLength = 80;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
const maxAlarmNameLength = 255;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html */
const maxDashboardNameLength = 255;

/** The names that queues, topics and functions accept, the strictest of the services. */
const characters = /^[\w-]+$/;

/** @throws pulumi.InputPropertyError unless it is a non-empty string. */
export function refuseUnlessName(name: unknown): asserts name is string {
  if (isText(name)) return;
  refuse("name", name, "a string of letters, digits, - and _", 'pass one as the first argument, such as "relay"');
}

/**
 * Refuses a relay's name if AWS would refuse a name that Pulumi derives from it, unless the program may name resources itself.
 *
 * @throws pulumi.InputPropertyError naming the longest usable name, and the resource.
 */
export function refuseUnusableName(
  name: string,
  relay: NamedRelay,
  opts: pulumi.ComponentResourceOptions | undefined,
): void {
  if (setsNames(opts)) return;
  const problem = nameProblem(name, relay);
  // The transforms of a parent are not visible here, and may set every name.
  if (problem !== undefined && opts?.parent) void pulumi.log.warn(`name: ${problem}`);
  else refuseProblem("name", problem);
}

/** Refuses the name of a program's own `CallbackFunction` in the same way. @throws pulumi.InputPropertyError */
export function refuseUnusableFunctionName(name: string, opts: pulumi.ComponentResourceOptions | undefined): void {
  // A relay has already checked its name, and with it those of its functions.
  if (setsNames(opts) || opts?.parent) return;
  const role = { what: "the IAM role", name: `${name}-role${randomSuffix}`, maxLength: maxRoleNameLength };
  refuseProblem("name", characterProblem(name, "function") ?? lengthProblem(name, role));
}

function nameProblem(name: string, relay: NamedRelay): string | undefined {
  const problem = characterProblem(name, "relay");
  if (problem !== undefined) return problem;
  const [strictest] = derivedNames(name, relay).toSorted((one, other) => spare(one) - spare(other));
  return strictest && lengthProblem(name, strictest);
}

/** The longest name of each kind of resource. If these are allowed, so are all others. */
function derivedNames(name: string, relay: NamedRelay): DerivedName[] {
  const relayName = relayNameOf(name);
  const fifo = relay.ordering === "strict" ? ".fifo" : "";
  const roles = [
    "disconnect",
    ...(relay.delivery === "replay" ? ["acknowledge"] : []),
    ...(relay.gatewayLogs?.accountRole === "create" ? ["access-logs"] : []),
  ];
  return [
    ...roles.map((part) => ({
      what: "the IAM role",
      name: `${name}-${part}-role${randomSuffix}`,
      maxLength: maxRoleNameLength,
    })),
    {
      what: "the SQS queue",
      name: `${name}-subscription-dead-letter-queue${randomSuffix}${fifo}`,
      maxLength: maxQueueNameLength,
    },
    ...(relay.alarms === undefined
      ? []
      : [
          {
            what: "the CloudWatch alarm",
            name: `${relayName}-subscription-dead-letters`,
            maxLength: maxAlarmNameLength,
          },
        ]),
    ...(relay.dashboard
      ? [{ what: "the CloudWatch dashboard", name: relayName, maxLength: maxDashboardNameLength }]
      : []),
  ];
}

/** The relay's name in its metrics, alarms and dashboard: unique in an account if its project and stack are. */
export function relayNameOf(name: string): string {
  return `${pulumi.getProject()}-${pulumi.getStack()}-${name}`;
}

function spare({ name, maxLength }: DerivedName): number {
  return maxLength - name.length;
}

function characterProblem(name: string, what: "relay" | "function"): string | undefined {
  if (characters.test(name)) return undefined;
  const example = what === "relay" ? `the SQS queue ${name}-queue` : `the Lambda function ${name}`;
  const written = name.replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "");
  return problemText(
    name,
    `letters, digits, - and _, since AWS allows no others in ${example}${randomSuffix}`,
    `write ${JSON.stringify(written || "relay")}`,
  );
}

function lengthProblem(name: string, derived: DerivedName): string | undefined {
  if (spare(derived) >= 0) return undefined;
  const longest = name.length + spare(derived);
  return problemText(
    name,
    `${longest > 0 ? `up to ${longest} characters` : "no name in this project and stack"}, since ${derived.what} ` +
      `${derived.name} has ${derived.name.length}, and AWS allows ${derived.maxLength}`,
    longest > 0 ? "shorten it" : "shorten the project's or the stack's name",
  );
}

/** Whether `pulumi:autonaming` or a transform may set names. */
function setsNames(opts: pulumi.ComponentResourceOptions | undefined): boolean {
  // Not a public API of Pulumi. There are callbacks once registerResourceTransform was called.
  const state = require("@pulumi/pulumi/runtime/state") as { getStore?: () => { callbacks?: unknown } };
  return (
    "pulumi:autonaming" in pulumi.runtime.allConfig() ||
    hasAny(opts?.transforms) ||
    hasAny(opts?.transformations) ||
    state.getStore?.().callbacks !== undefined ||
    hasTransformations(pulumi.runtime.getStackResource()) ||
    hasTransformations(opts?.parent)
  );
}

function hasTransformations(resource: pulumi.Resource | undefined): boolean {
  return hasAny((resource as { __transformations?: unknown[] } | undefined)?.__transformations);
}

function hasAny(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}
