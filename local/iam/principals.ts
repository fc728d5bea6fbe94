import type { IncomingHttpHeaders } from "node:http";
import { account, partition, region } from "../account";
import type { Role, Roles } from "./roles";

/** The caller of a request. */
export type Principal =
  /** May do everything in its account; and in another one what a resource's policy lets it. */
  | { kind: "administrator"; account: string; organization?: string }
  | { kind: "role"; role: Role; sessionName: string }
  /** A service of AWS, on behalf of one of an account's resources. */
  | { kind: "service"; service: string; sourceArn?: string };

export const administrator: Principal = { kind: "administrator", account };

/**
 * The caller of a request, by the access key id alone: signatures are not checked.
 *
 * A role's functions have an id of their own. Twelve digits are the administrator of that account, of the organization that
 * the session token names (`o-…`). Any other id, and a request without a signature, is the local account's administrator.
 */
export function principalOf(headers: IncomingHttpHeaders, roles: Roles): Principal {
  const [, accessKeyId = ""] = /Credential=([^/,\s]+)\//.exec(headers.authorization ?? "") ?? [];
  const sessionToken = String(headers["x-amz-security-token"] ?? "");
  const role = roles.byAccessKeyId(accessKeyId);
  if (role) return { kind: "role", role, sessionName: sessionToken || "local" };
  if (!/^\d{12}$/.test(accessKeyId)) return administrator;
  const organization = /^o-\w+$/.test(sessionToken) ? sessionToken : undefined;
  return { kind: "administrator", account: accessKeyId, organization };
}

/** As errors and policies name the principal. */
export function principalName(principal: Principal): string {
  switch (principal.kind) {
    case "administrator":
      return `arn:${partition}:iam::${principal.account}:root`;
    case "role":
      return `arn:${partition}:sts::${account}:assumed-role/${principal.role.name}/${principal.sessionName}`;
    case "service":
      return principal.service;
  }
}

/** The context keys that a request has through who makes it. */
export function principalContext(principal: Principal): Record<string, string> {
  const everywhere = { "aws:SecureTransport": "true", "aws:RequestedRegion": region };
  switch (principal.kind) {
    case "administrator":
      return {
        ...everywhere,
        "aws:PrincipalArn": principalName(principal),
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalType": "Account",
        "aws:PrincipalIsAWSService": "false",
        ...(principal.organization && { "aws:PrincipalOrgID": principal.organization }),
      };
    case "role":
      return {
        ...everywhere,
        "aws:PrincipalArn": principal.role.arn,
        "aws:PrincipalAccount": account,
        "aws:PrincipalType": "AssumedRole",
        "aws:PrincipalIsAWSService": "false",
      };
    case "service":
      return {
        ...everywhere,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": principal.service,
        ...(principal.sourceArn && {
          "aws:SourceArn": principal.sourceArn,
          "aws:SourceAccount": principal.sourceArn.split(":")[4] || account,
        }),
      };
  }
}
