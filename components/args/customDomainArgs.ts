import * as pulumi from "@pulumi/pulumi";
import { isDeferred, refuse, refuseProblem, refuseUnknownKeys, refuseUnlessObject } from "./refuse";
import { isPlaceholder } from "./values";

/**
 * A domain of one's own for the WebSocket API, so that the cookies of pages under the same parent domain reach the
 * handshake. Either one that is made here, or an API Gateway domain name that exists already.
 */
export interface CustomDomainArgs {
  /**
   * The domain name to make in API Gateway: `ws.your-domain.com`. A change **replaces** it.
   * @default none is made: `existingDomainName` is required then, and not beside this
   */
  domainName?: pulumi.Input<string>;
  /** An issued ACM certificate for the domain, in the API's own region. @default none: required with `domainName` */
  certificateArn?: pulumi.Input<string>;
  /** The Route 53 zone that gets the alias records. @default none: point a CNAME at the relay's `customDomainTarget` yourself */
  hostedZoneId?: pulumi.Input<string>;
  /**
   * A regional API Gateway domain name that is only mapped to: its certificate and records stay its owner's. It must not
   * have HTTP or REST APIs, which share no domain with a WebSocket API. @default none: `domainName` is made
   */
  existingDomainName?: pulumi.Input<string>;
  /** What follows the domain in the URL: `chat`, or `chat/v1`. @default nothing */
  basePath?: string;
}

/** {@link CustomDomainArgs}, checked. */
export interface ResolvedCustomDomain {
  domainName: pulumi.Input<string>;
  /** The certificate, where the domain is made here. */
  certificateArn?: pulumi.Input<string>;
  hostedZoneId?: pulumi.Input<string>;
  basePath?: string;
}

const keys = ["domainName", "certificateArn", "hostedZoneId", "existingDomainName", "basePath"];

/**
 * @param region The API's, where it is known.
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function resolveCustomDomain(given: CustomDomainArgs, region: string | undefined): ResolvedCustomDomain {
  const { domainName, certificateArn, hostedZoneId, existingDomainName, basePath } = checkedKeys(given);
  if ((domainName === undefined) === (existingDomainName === undefined)) {
    refuse(
      "customDomain",
      given,
      "exactly one of domainName and existingDomainName",
      "set domainName for a domain that is to be made here, existingDomainName for one that API Gateway has already",
    );
  }
  refuseBadBasePath(basePath);

  if (existingDomainName !== undefined) {
    const its = { certificateArn, hostedZoneId };
    for (const [key, value] of Object.entries(its)) {
      if (value !== undefined) {
        refuse(`customDomain.${key}`, value, "nothing beside existingDomainName, whose own it is", `remove ${key}`);
      }
    }
    return { domainName: checked("existingDomainName", existingDomainName, refuseBadDomainName), basePath };
  }
  return {
    domainName: checked("domainName", domainName, refuseBadDomainName),
    certificateArn: checked("certificateArn", certificateArn, (path, arn) => refuseBadCertificate(path, arn, region)),
    hostedZoneId: hostedZoneId === undefined ? undefined : checked("hostedZoneId", hostedZoneId, refuseBadZone),
    basePath,
  };
}

/** What browsers and React Native send of the domain; none where there is no domain. */
export function originsOf(customDomain: ResolvedCustomDomain | undefined): pulumi.Output<string[]> {
  return pulumi.output(customDomain?.domainName).apply((domain) => (domain === undefined ? [] : [`https://${domain}`]));
}

function checkedKeys(given: CustomDomainArgs): CustomDomainArgs {
  const domainName = typeof given === "string" ? given : "ws.your-domain.com";
  const fix = `write { domainName: ${JSON.stringify(domainName)}, certificateArn }`;
  refuseUnlessObject("customDomain", given, "an object", fix);
  refuseUnknownKeys("customDomain.", given, keys);
  // A key that YAML leaves empty is null.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null));
}

/** The value, once it has been checked: at once, or as soon as it is known. */
function checked(
  key: keyof CustomDomainArgs,
  value: pulumi.Input<string> | undefined,
  check: (path: string, value: unknown) => void,
): pulumi.Input<string> {
  const path = `customDomain.${key}`;
  if (isDeferred(value)) {
    return pulumi.output(value).apply((known) => {
      check(path, known);
      return known;
    });
  }
  check(path, value);
  return value as string;
}

function refuseBadDomainName(path: string, value: unknown): void {
  // Lower case, since an Origin is compared exactly; no wildcard, since clients need a name to connect to.
  const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
  if (typeof value !== "string" || value.length > 253 || !new RegExp(`^(${label}\\.)+${label}$`).test(value)) {
    refuse(
      path,
      value,
      "a domain in lower case, without scheme, port, path, wildcard or closing dot",
      `write ${bareDomain(value) ?? "it as ws.your-domain.com"}`,
    );
  }
  refuseProblem(
    path,
    isPlaceholder(value) ? `got ${JSON.stringify(value)}; allowed: a domain of yours. Fix: set your own.` : undefined,
  );
}

/** The domain of what is a URL, has capitals, or ends with a dot. */
function bareDomain(value: unknown): string | undefined {
  const [, domain] =
    typeof value === "string" ? (/^(?:\w+:\/\/)?([\w-]+(?:\.[\w-]+)+)\.?(?::\d+)?(?:\/.*)?$/.exec(value) ?? []) : [];
  return domain && JSON.stringify(domain.toLowerCase());
}

/** Accounts of AWS's documentation. */
const sampleAccounts = ["123456789012", "111122223333"];

function refuseBadCertificate(path: string, value: unknown, region: string | undefined): void {
  const arn =
    typeof value === "string" ? /^arn:aws[\w-]*:acm:([a-z0-9-]+):(\d{12}):certificate\/[\w-]+$/.exec(value) : null;
  if (!arn) {
    refuse(
      path,
      value,
      "an ACM certificate's ARN, arn:aws:acm:{region}:{account}:certificate/{id}",
      "copy it from ACM",
    );
  }
  const [, certificateRegion = "", account = ""] = arn;
  if (sampleAccounts.includes(account)) {
    refuse(path, value, "not a placeholder", "set the ARN of a certificate of yours");
  }
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-create.html
  if (region !== undefined && certificateRegion !== region) {
    refuse(
      path,
      value,
      `a certificate in ${region}, the API's region: API Gateway takes no other for a regional domain`,
      `request or import one in ${region}`,
    );
  }
}

function refuseBadZone(path: string, value: unknown): void {
  if (typeof value !== "string" || !/^Z[A-Z0-9]{1,31}$/.test(value)) {
    refuse(path, value, "a Route 53 hosted zone's id, Z and up to 31 capitals and digits", "copy it from Route 53");
  }
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

/** What is left of a path without a / at its ends. */
function basePathOf(value: unknown): string | undefined {
  const bare = typeof value === "string" ? value.replace(/^\/+|\/+$/g, "") : "";
  return bare !== value && /^[\w/-]+$/.test(bare) && !bare.includes("//") ? JSON.stringify(bare) : undefined;
}
