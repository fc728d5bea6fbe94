import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { type CustomDomainArgs, originsOf, resolveCustomDomain } from "../../../components/args/customDomainArgs";
import { refusal } from "../../support/refusal";
import { valueOf } from "../../support/recorder";

const certificateArn = "arn:aws:acm:eu-west-1:444455556666:certificate/0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f";
const created = { domainName: "ws.relay.dev", certificateArn };

describe("resolveCustomDomain", () => {
  const accepted: [what: string, args: object, resolved: object][] = [
    ["a domain to be made", created, { ...created, hostedZoneId: undefined, basePath: undefined }],
    [
      "a hosted zone and a base path of several parts",
      { ...created, hostedZoneId: "Z0A1B2C3", basePath: "chat/v1" },
      { ...created, hostedZoneId: "Z0A1B2C3", basePath: "chat/v1" },
    ],
    [
      "every character that a base path takes",
      { ...created, basePath: "a-Z_0.+!*'()$" },
      { basePath: "a-Z_0.+!*'()$" },
    ],
    [
      "an existing domain",
      { existingDomainName: "ws.relay.dev", basePath: "chat" },
      { domainName: "ws.relay.dev", basePath: "chat" },
    ],
    [
      "keys that YAML leaves empty",
      { existingDomainName: "ws.relay.dev", domainName: null, certificateArn: null, basePath: null },
      { domainName: "ws.relay.dev", basePath: undefined },
    ],
    [
      "a certificate of another partition",
      { ...created, certificateArn: certificateArn.replace("aws", "aws-us-gov") },
      { domainName: "ws.relay.dev" },
    ],
  ];
  for (const [what, args, resolved] of accepted) {
    it(`accepts ${what}`, () => {
      expect(resolveCustomDomain(args as CustomDomainArgs, "eu-west-1")).to.deep.include(resolved);
    });
  }

  const refused: [what: string, args: unknown, path: string, parts: string[]][] = [
    ["a domain that is no object", "ws.relay.dev", "customDomain", ['"ws.relay.dev"', "an object"]],
    ["an unknown key", { ...created, zone: "x" }, "customDomain.zone", ["hostedZoneId", "spelling"]],
    ["neither kind", { basePath: "chat" }, "customDomain", ["exactly one of domainName and existingDomainName"]],
    ["both kinds", { ...created, existingDomainName: "ws.relay.dev" }, "customDomain", ["exactly one"]],
    ["a domain with a scheme", { ...created, domainName: "wss://ws.relay.dev" }, "customDomain.domainName", ["wss://"]],
    ["a domain in upper case", { ...created, domainName: "WS.relay.dev" }, "customDomain.domainName", ["lower case"]],
    ["a wildcard", { ...created, domainName: "*.relay.dev" }, "customDomain.domainName", ["wildcard"]],
    ["a domain of one label", { ...created, domainName: "localhost" }, "customDomain.domainName", ["localhost"]],
    ["a closing dot", { ...created, domainName: "ws.relay.dev." }, "customDomain.domainName", ["closing dot"]],
    ["a label of 64", { ...created, domainName: `${"a".repeat(64)}.dev` }, "customDomain.domainName", ["aaaa"]],
    ["a domain over 253", { ...created, domainName: `${"a.".repeat(126)}dev` }, "customDomain.domainName", ["a.a."]],
    ["a placeholder domain", { ...created, domainName: "ws.example.com" }, "customDomain.domainName", ["set your own"]],
    [
      "the domain of our own samples",
      { existingDomainName: "ws.your-domain.com" },
      "customDomain.existingDomainName",
      ["set your own"],
    ],
    ["no certificate", { domainName: "ws.relay.dev" }, "customDomain.certificateArn", ["got undefined", "ACM"]],
    [
      "a certificate that is none of ACM's",
      { ...created, certificateArn: "arn:aws:iam::444455556666:server-certificate/x" },
      "customDomain.certificateArn",
      ["server-certificate"],
    ],
    [
      "a certificate of another region",
      { ...created, certificateArn: certificateArn.replace("eu-west-1", "us-east-1") },
      "customDomain.certificateArn",
      ["us-east-1", "a certificate in eu-west-1"],
    ],
    [
      "a certificate of AWS's documentation",
      { ...created, certificateArn: certificateArn.replace("444455556666", "123456789012") },
      "customDomain.certificateArn",
      ["not a placeholder"],
    ],
    ["a zone's name", { ...created, hostedZoneId: "relay.dev" }, "customDomain.hostedZoneId", ["relay.dev", "hosted zone's ID"]],
    [
      "a certificate for an existing domain",
      { existingDomainName: "ws.relay.dev", certificateArn },
      "customDomain.certificateArn",
      ["remove certificateArn"],
    ],
    [
      "a zone for an existing domain",
      { existingDomainName: "ws.relay.dev", hostedZoneId: "Z0A1B2C3" },
      "customDomain.hostedZoneId",
      ["remove hostedZoneId"],
    ],
    ["a base path with a / before it", { ...created, basePath: "/chat" }, "customDomain.basePath", ['"/chat"']],
    ["a base path with a / after it", { ...created, basePath: "chat/" }, "customDomain.basePath", ['"chat/"']],
    ["an empty base path", { ...created, basePath: "" }, "customDomain.basePath", ['""']],
    ["a base path with a query", { ...created, basePath: "chat?x" }, "customDomain.basePath", ["chat?x"]],
    ["a base path over 300", { ...created, basePath: "a".repeat(301) }, "customDomain.basePath", ["300"]],
  ];
  for (const [what, args, path, parts] of refused) {
    it(`refuses ${what}, naming ${path}`, () => {
      const { propertyPath, reason } = problemOf(() => resolveCustomDomain(args as CustomDomainArgs, "eu-west-1"));
      expect(propertyPath).to.equal(path);
      expect(reason).to.match(/^customDomain.*: got .*; allowed: .*\. Fix: .*\.$/);
      for (const part of parts) expect(reason).to.include(part);
    });
  }

  it("takes a certificate of any region where the API's is not known", () => {
    const elsewhere = certificateArn.replace("eu-west-1", "us-east-1");
    expect(resolveCustomDomain({ ...created, certificateArn: elsewhere }, undefined).certificateArn).to.equal(
      elsewhere,
    );
  });

  it("checks what is known later as soon as it is known", async () => {
    const later = resolveCustomDomain(
      {
        domainName: pulumi.output("ws.relay.dev"),
        certificateArn: pulumi.output(certificateArn.replace("eu-west-1", "us-east-1")),
        hostedZoneId: Promise.resolve("relay.dev"),
      },
      "eu-west-1",
    );

    expect(await valueOf(later.domainName)).to.equal("ws.relay.dev");
    expect((await refusal(valueOf(later.certificateArn))).message).to.include("a certificate in eu-west-1");
    expect((await refusal(valueOf(later.hostedZoneId))).message).to.include("customDomain.hostedZoneId");
  });
});

describe("originsOf", () => {
  it("is the domain's https origin, without the base path, and nothing where there is no domain", async () => {
    const domain = resolveCustomDomain({ existingDomainName: "ws.relay.dev", basePath: "chat" }, undefined);
    expect(await valueOf(originsOf(domain))).to.deep.equal(["https://ws.relay.dev"]);
    expect(await valueOf(originsOf(undefined))).to.deep.equal([]);
  });
});

function problemOf(resolve: () => unknown): { propertyPath: string; reason: string } {
  try {
    resolve();
  } catch (error) {
    if (pulumi.InputPropertyError.isInstance(error)) return error;
    throw error;
  }
  throw new Error("was not refused");
}
