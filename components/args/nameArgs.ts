import * as pulumi from "@pulumi/pulumi";
import { problemText, refuse, refuseProblem } from "./refuse";
import { isText } from "./values";

/** What decides about the names that are derived from a relay's. */
interface NamedRelay {
  delivery: "retry" | "replay";
  ordering: "standard" | "strict";
  accessLogs?: { accountRole: string };
  alarms?: unknown;
  dashboard: boolean;
}

/** A name that AWS gets. */
interface DerivedName {
  /** `the IAM role` */
  what: string;
  name: string;
  maxLength: number;
}

/** What Pulumi appends to the name of a resource: seven random hexadecimal digits. */
const randomSuffix = "-1234567";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const maxRoleNameLength = 64;
/** `.fifo` included. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html */
const maxQueueNameLength = 80;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
const maxAlarmNameLength = 255;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html */
const maxDashboardNameLength = 255;

/** What queues, topics and functions take, the strictest of the services. */
const characters = /^[\w-]+$/;

/** @throws pulumi.InputPropertyError where it is no name at all. */
export function refuseUnlessName(name: unknown): asserts name is string {
  if (isText(name)) return;
  refuse("name", name, "a text, of letters, digits, - and _", 'pass one as the first argument, such as "relay"');
}

/**
 * Refuses a relay's name of which AWS would refuse what Pulumi derives, unless the program may name resources itself.
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
  // The transforms of a parent cannot be seen: they may name everything.
  if (problem !== undefined && opts?.parent) void pulumi.log.warn(`name: ${problem}`);
  else refuseProblem("name", problem);
}

/** Refuses the name of a function of one's own in the same way. @throws pulumi.InputPropertyError */
export function refuseUnusableFunctionName(name: string, opts: pulumi.ComponentResourceOptions | undefined): void {
  // A relay has checked its own name, and those of its functions by it.
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

/** Of each kind of resource the longest name: shorter ones, and kinds whose names may be longer, follow. */
function derivedNames(name: string, relay: NamedRelay): DerivedName[] {
  const relayName = relayNameOf(name);
  const fifo = relay.ordering === "strict" ? ".fifo" : "";
  const roles = [
    "disconnect",
    ...(relay.delivery === "replay" ? ["acknowledge"] : []),
    ...(relay.accessLogs?.accountRole === "create" ? ["access-logs"] : []),
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

/** What is unique among the relays of an account, as far as stacks are: names its metrics, its alarms and its dashboard. */
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
    `letters, digits, - and _, since AWS takes no others in ${example}${randomSuffix}`,
    `write ${JSON.stringify(written || "relay")}`,
  );
}

function lengthProblem(name: string, derived: DerivedName): string | undefined {
  if (spare(derived) >= 0) return undefined;
  const longest = name.length + spare(derived);
  return problemText(
    name,
    `${longest > 0 ? `up to ${longest} characters` : "no name in this project and stack"}, since ${derived.what} ` +
      `${derived.name} has ${derived.name.length}, and AWS takes ${derived.maxLength}`,
    longest > 0 ? "shorten it" : "shorten the project's or the stack's name",
  );
}

/** Whether names may be others than Pulumi derives by default: where `pulumi:autonaming` or a transform sets them. */
function setsNames(opts: pulumi.ComponentResourceOptions | undefined): boolean {
  // Not Pulumi's API. There are callbacks once registerResourceTransform was called.
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
