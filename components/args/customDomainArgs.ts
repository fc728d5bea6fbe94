import * as pulumi from "@pulumi/pulumi";
import { checkedInput, problemText, refuse, refuseUnknownKeys, refuseUnlessObject } from "./refuse";
import { spec } from "./spec";
import { isPlaceholder, withoutAbsent } from "./values";

/**
 * A domain of your own for the WebSocket API, so that the cookies of pages under the same parent domain reach the handshake:
 * either a new one, or an API Gateway domain name that already exists.
 */
export interface CustomDomainArgs {
  /**
   * The domain to create in API Gateway, in lower case: `ws.your-domain.com`. A change **replaces** it.
   * @default none is created, and `existingDomainName` is required
   */
  domainName?: pulumi.Input<string>;
  /** The ARN of an issued ACM certificate for `domainName`, in the API's region. @default none; required with `domainName` */
  certificateArn?: pulumi.Input<string>;
  /**
   * The Route 53 hosted zone in which the relay creates the domain's alias records.
   * @default none: you point a record at the relay's `customDomainTarget` yourself
   */
  hostedZoneId?: pulumi.Input<string>;
  /**
   * A regional API Gateway domain name that already exists. The relay only maps its API to it; the certificate and the records
   * stay with their owner. It must not have HTTP or REST APIs, which cannot share a domain with a WebSocket API.
   * @default none: `domainName` is created
   */
  existingDomainName?: pulumi.Input<string>;
  /** The path after the domain in the URL: `chat`, or `chat/v1`. @default none: the API is at the root of the domain */
  basePath?: string;
}

/** {@link CustomDomainArgs}, checked. */
export interface ResolvedCustomDomain {
  domainName: pulumi.Input<string>;
  /** Only where the relay creates the domain. */
  certificateArn?: pulumi.Input<string>;
  hostedZoneId?: pulumi.Input<string>;
  basePath?: string;
}

/**
 * @param region The API's, if it is known.
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function resolveCustomDomain(given: CustomDomainArgs, region: string | undefined): ResolvedCustomDomain {
  const { domainName, certificateArn, hostedZoneId, existingDomainName, basePath } = presentKeys(given);
  refuseBadBasePath(basePath);
  if (existingDomainName !== undefined && domainName === undefined) {
    for (const [key, value] of Object.entries({ certificateArn, hostedZoneId })) {
      if (value !== undefined) {
        refuse(`customDomain.${key}`, value, "nothing with existingDomainName, which has its own", `remove ${key}`);
      }
    }
    return { domainName: checked("existingDomainName", existingDomainName, domainNameProblem), basePath };
  }
  if (domainName === undefined || existingDomainName !== undefined) {
    refuse(
      "customDomain",
      given,
      "exactly one of domainName and existingDomainName",
      "set domainName to create a domain, or existingDomainName for one that API Gateway already has",
    );
  }
  return {
    domainName: checked("domainName", domainName, domainNameProblem),
    certificateArn: checked("certificateArn", certificateArn, (arn) => certificateProblem(arn, region)),
    hostedZoneId: hostedZoneId === undefined ? undefined : checked("hostedZoneId", hostedZoneId, zoneProblem),
    basePath,
  };
}

/** The origins that browsers and React Native send for the domain; none without a domain. */
export function originsOf(customDomain: ResolvedCustomDomain | undefined): pulumi.Output<string[]> {
  return pulumi.output(customDomain?.domainName).apply((domain) => (domain === undefined ? [] : [`https://${domain}`]));
}

function presentKeys(given: CustomDomainArgs): CustomDomainArgs {
  const domainName = typeof given === "string" ? given : "ws.your-domain.com";
  const fix = `write { domainName: ${JSON.stringify(domainName)}, certificateArn }`;
  refuseUnlessObject("customDomain", given, "an object", fix);
  refuseUnknownKeys("customDomain.", given, Object.keys(spec.customDomain.keys));
  return withoutAbsent(given);
}

function checked(
  key: keyof CustomDomainArgs,
  value: pulumi.Input<string> | undefined,
  problemOf: (value: unknown) => string | undefined,
): pulumi.Input<string> {
  // Each check refuses an absent value, too.
  return checkedInput(`customDomain.${key}`, value as pulumi.Input<string>, problemOf);
}

function domainNameProblem(value: unknown): string | undefined {
  // Lower case, since an Origin is compared exactly; no wildcard, since clients need a name to connect to.
  const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
  if (typeof value !== "string" || value.length > 253 || !new RegExp(`^(${label}\\.)+${label}$`).test(value)) {
    const allowed = "a domain in lower case, without scheme, port, path, wildcard or closing dot";
    return problemText(value, allowed, `write ${bareDomain(value) ?? "it as ws.your-domain.com"}`);
  }
  return isPlaceholder(value) ? problemText(value, "a domain of yours", "set your own") : undefined;
}

/** The domain in a URL, in a name with capitals, or in a name with a closing dot. */
function bareDomain(value: unknown): string | undefined {
  const [, domain] =
    typeof value === "string" ? (/^(?:\w+:\/\/)?([\w-]+(?:\.[\w-]+)+)\.?(?::\d+)?(?:\/.*)?$/.exec(value) ?? []) : [];
  return domain && JSON.stringify(domain.toLowerCase());
}

/** Accounts that AWS's documentation uses. */
const sampleAccounts = ["123456789012", "111122223333"];

function certificateProblem(value: unknown, region: string | undefined): string | undefined {
  const arn =
    typeof value === "string" ? /^arn:aws[\w-]*:acm:([a-z0-9-]+):(\d{12}):certificate\/[\w-]+$/.exec(value) : null;
  if (!arn) {
    const allowed = "an ACM certificate's ARN, arn:aws:acm:{region}:{account}:certificate/{id}";
    return problemText(value, allowed, "copy it from ACM");
  }
  const [, certificateRegion = "", account = ""] = arn;
  if (sampleAccounts.includes(account)) {
    return problemText(value, "not a placeholder", "set the ARN of a certificate of yours");
  }
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-create.html
  return region === undefined || certificateRegion === region
    ? undefined
    : problemText(
        value,
        `a certificate in ${region}, the API's region: API Gateway takes no other for a regional domain`,
        `request or import one in ${region}`,
      );
}

function zoneProblem(value: unknown): string | undefined {
  return typeof value === "string" && /^Z[A-Z0-9]{1,31}$/.test(value)
    ? undefined
    : problemText(value, "a Route 53 hosted zone's ID, Z and up to 31 capitals and digits", "copy it from Route 53");
}

function refuseBadBasePath(value: unknown): void {
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-mappings.html
  const segment = "[A-Za-z0-9$\\-_.+!*'()]+";
  const pattern = new RegExp(`^${segment}(/${segment})*$`);
  if (value !== undefined && !(typeof value === "string" && value.length <= 300 && pattern.test(value))) {
    refuse(
      "customDomain.basePath",
      value,
      "up to 300 letters, digits and $-_.+!*'(), in parts with one / between them",
      `write ${basePathOf(value) ?? "it as chat or chat/v1, without a / at its ends"}`,
    );
  }
}

/** The path without slashes at its ends. */
function basePathOf(value: unknown): string | undefined {
  const bare = typeof value === "string" ? value.replace(/^\/+|\/+$/g, "") : "";
  return bare !== value && /^[\w/-]+$/.test(bare) && !bare.includes("//") ? JSON.stringify(bare) : undefined;
}
