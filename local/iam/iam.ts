import type { IncomingHttpHeaders } from "node:http";
import { account } from "../account";
import { Keys } from "./keys";
import { Policies } from "./policies";
import { type Principal, principalName, principalContext, principalOf } from "./principals";
import { Authorizations } from "./authorizations";
import { Roles } from "./roles";
import { type AccessRequest, type Decision, type IdentityPolicies, simulate, spelled } from "./simulation";

export type { AccessRequest } from "./simulation";
export { administrator, type Principal } from "./principals";

/** A request that is not allowed, in AWS's words. */
export class AccessDenied extends Error {
  override readonly name = "AccessDenied";

  constructor(
    readonly request: AccessRequest,
    readonly decision: Exclude<Decision, { allowed: true }>,
  ) {
    const { principal, action, resource } = request;
    super(
      `User: ${principalName(principal)} is not authorized to perform: ${spelled(action)} on resource: ${resource} ${decision.reason}`,
    );
  }
}

export interface Judgement {
  request: AccessRequest;
  decision: Decision;
  record: () => void;
}

/** The most decisions that are remembered at a time. */
const maxDecisions = 10_000;

/** IAM on one machine: the principal of a call, and whether the policies that the program registered allow the call. */
export class Iam {
  readonly authorizations = new Authorizations();
  private readonly decisions = new Map<string, Promise<Decision>>();
  readonly roles = new Roles(() => this.decisions.clear());
  readonly keys = new Keys();
  readonly policies = new Policies(this.roles, this.keys);

  principalOf(headers: IncomingHttpHeaders): Principal {
    return principalOf(headers, this.roles);
  }

  /** The role that a function runs as, in the session that Lambda has it assume. */
  functionPrincipal(roleArn: string, functionName: string): Principal {
    const role = this.roles.byArn(roleArn) ?? {
      name: roleArn.split("/").at(-1) ?? "",
      arn: roleArn,
      assumeRolePolicy: "",
    };
    return { kind: "role", role, sessionName: functionName };
  }

  /** Whether a service of AWS may assume a role: one that the program has not registered, none may. */
  async canAssume(service: string, roleArn: string): Promise<boolean> {
    const resourcePolicy = this.roles.byArn(roleArn)?.assumeRolePolicy;
    const principal: Principal = { kind: "service", service };
    return (await this.decide({ principal, action: "sts:AssumeRole", resource: roleArn, resourcePolicy })).allowed;
  }

  /** Resolves where everything is allowed. @throws AccessDenied for the first that is not. */
  async authorize(...requests: AccessRequest[]): Promise<void> {
    for (const request of requests) {
      const decision = await this.decide(request);
      if (!decision.allowed) throw new AccessDenied(request, decision);
    }
  }

  async decide(request: AccessRequest): Promise<Decision> {
    const { decision, record } = await this.judge(request);
    record();
    return decision;
  }

  /** A decision ahead of the call that it is about: `record` is for when the call is made. */
  async judge(request: AccessRequest): Promise<Judgement> {
    const { action, resource, resourcePolicy } = request;
    const principal = principalName(request.principal);
    const context = { ...principalContext(request.principal), ...request.context };
    const key = JSON.stringify([principal, action, resource, context]);
    const decision = await this.remembered(`${key} ${resourcePolicy ?? ""}`, request);
    const judged = decision.allowed ? ("allowed" as const) : ("denied" as const);
    const record = () => this.authorizations.record(key, { principal, action, resource, context, decision: judged });
    return { request, decision, record };
  }

  private remembered(key: string, request: AccessRequest): Promise<Decision> {
    const known = this.decisions.get(key);
    if (known) return known;
    if (this.decisions.size >= maxDecisions) this.decisions.clear();
    const decision = this.evaluate(request);
    this.decisions.set(key, decision);
    return decision;
  }

  private async evaluate(request: AccessRequest): Promise<Decision> {
    const { principal, resourcePolicy } = request;
    const isOwn = principal.kind === "administrator" && principal.account === account;
    if (isOwn && !resourcePolicy) return { allowed: true };
    const decision = await simulate(request, this.identityPolicies(principal));
    // The administrator must be able to repair a policy that locks everyone out.
    return isOwn && "unusable" in decision ? { allowed: true } : decision;
  }

  private identityPolicies(principal: Principal): IdentityPolicies {
    switch (principal.kind) {
      case "administrator":
        return { inline: [{ name: "AdministratorAccess", document: everything }] };
      case "role": {
        const { permissionsBoundary, name } = principal.role;
        const boundary = permissionsBoundary && this.roles.managedPolicy(permissionsBoundary);
        return { inline: this.roles.inlinePolicies(name), ...(boundary && { boundary }) };
      }
      case "service":
        return { inline: [] };
    }
  }
}

const everything = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
});
