import type { getDenialReasons, Simulation } from "@cloud-copilot/iam-simulate";
import { account } from "../account";
import { checkConditions } from "./conditions";
import { type Principal, principalContext, principalName } from "./principals";

export interface AccessRequest {
  principal: Principal;
  /** As IAM names it: `sqs:DeleteMessage`, also for a batch. */
  action: string;
  /** An ARN, or `*` where the action has no resource. */
  resource: string;
  /** The resource's own policy, JSON. @default it has none */
  resourcePolicy?: string;
  /** Context keys besides those that follow from the principal. */
  context?: Record<string, string>;
}

/** The rights of the principal itself. */
export interface IdentityPolicies {
  inline: { name: string; document: string }[];
  /** The document that bounds them. @default they are not bounded */
  boundary?: string;
}

export type Decision =
  | { allowed: true }
  | { allowed: false; explicit: boolean; reason: string }
  /** A policy, or the request, is nothing that IAM would take: so the request is neither allowed nor denied. */
  | { allowed: false; explicit: false; reason: string; unusable: true };

/**
 * AWS's decision about a request.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export async function simulate(request: AccessRequest, identity: IdentityPolicies): Promise<Decision> {
  // Loaded at the first request.
  const { runSimulation, getDenialReasons } =
    require("@cloud-copilot/iam-simulate") as typeof import("@cloud-copilot/iam-simulate");
  let simulation: Simulation;
  try {
    simulation = simulationOf(request, identity);
  } catch (error) {
    return unusable((error as Error).message);
  }
  const result = await runSimulation(simulation, {});
  if (result.resultType === "error") return unusable(`not to be evaluated: ${JSON.stringify(result.errors)}`);
  if (result.overallResult === "Allowed") return { allowed: true };
  const explicit = result.overallResult === "ExplicitlyDenied";
  const denials = result.resultType === "single" ? getDenialReasons(result.result.analysis) : [];
  return { allowed: false, explicit, reason: reasonOf(request, explicit, denials) };
}

function simulationOf(
  { principal, action, resource, resourcePolicy, context }: AccessRequest,
  identity: IdentityPolicies,
): Simulation {
  return {
    request: {
      principal: principalName(principal),
      action,
      resource: { resource, accountId: resource.split(":")[4] || account },
      contextVariables: Object.fromEntries(
        Object.entries({ ...principalContext(principal), ...context }).map(([key, value]) => [simulated(key), value]),
      ),
    },
    identityPolicies: identity.inline.map(({ name, document }) => ({ name, policy: parse(name, document) })),
    ...(identity.boundary && {
      permissionBoundaryPolicies: [{ name: "boundary", policy: parse("the permissions boundary", identity.boundary) }],
    }),
    ...(resourcePolicy && { resourcePolicy: parse("the resource's policy", resourcePolicy) }),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
}

function parse(name: string, document: string): unknown {
  checkConditions(name, JSON.parse(document));
  return JSON.parse(simulated(document));
}

/** The simulator ignores encryption contexts. A tag of a request is the same to it: a condition key with a name in it. */
function simulated(text: string): string {
  return text.replaceAll(/kms:EncryptionContext:/gi, "aws:RequestTag/kms:");
}

function unusable(reason: string): Decision {
  return { allowed: false, explicit: false, reason, unusable: true };
}

type Denials = ReturnType<typeof getDenialReasons>;

/** In AWS's words. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
function reasonOf({ principal, action, resource }: AccessRequest, explicit: boolean, denials: Denials): string {
  const blocking = denials.find((denial) => denial.blocking);
  if (explicit) return `with an explicit deny in ${kinds[blocking?.policyType ?? "identity"] ?? "a policy"}`;
  const owner = resource.split(":")[4];
  const isForeign = principal.kind === "service" || (principal.kind === "administrator" && owner !== principal.account);
  // A key's policy decides alone, unless it leaves it to IAM.
  const isAllowedByOwn = !denials.some(({ policyType }) => policyType === "identity");
  const kind =
    blocking?.policyType === "pb"
      ? "permissions boundary"
      : isForeign || isAllowedByOwn
        ? "resource-based policy"
        : "identity-based policy";
  return `because no ${kind} allows the ${spelled(action)} action`;
}

const kinds: Record<string, string> = {
  identity: "an identity-based policy",
  resource: "a resource-based policy",
  pb: "a permissions boundary",
};

/** As the service itself writes an action in its errors. */
export function spelled(action: string): string {
  if (action.startsWith("sqs:")) return action.toLowerCase();
  return action.replace(/^sns:/, "SNS:");
}
