import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { WebsocketRelay } from "../../components";
import { argsFromConfig } from "../../components/args/stackConfig";
import { asRuntimeConfig, readStackConfig, withLocalIssuer } from "../../local/run/stackConfig";
import type { Registered } from "../../packaging/registeredResources";
import {
  type Control,
  controlName,
  controls,
  type HardeningSetting,
  hardeningSettings,
  typesWithoutControls,
} from "../../packaging/securityControls";
import { securityPage } from "../../packaging/securityPage";
import { needlessExceptions, violations } from "../../packaging/securityViolations";
import { record } from "../support/recorder";
import { repository } from "../support/repository";

const hardened: Record<HardeningSetting, Record<string, unknown>> = {
  kmsKeyArn: { kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d" },
  "alarms.actions": { alarms: { actions: ["arn:aws:sns:eu-west-1:111122223333:on-call"] } },
  "logRetentionInDays: 365": { logRetentionInDays: 365 },
};

const deliveries = ["retry", "replay"] as const;

/** What this repository's program registers with Pulumi.prod.yaml and the settings, under mocks. */
async function registeredByProd(
  delivery: (typeof deliveries)[number],
  settings: readonly HardeningSetting[],
): Promise<Registered[]> {
  const issuer = { issuer: "https://issuer.relay.dev", audience: "relay" };
  const { project, values } = withLocalIssuer(readStackConfig(repository, "prod"), issuer);
  const given = settings.reduce((all, setting) => ({ ...all, ...hardened[setting] }), {
    ...values,
    delivery,
    receipts: delivery === "replay",
    httpRead: delivery === "replay",
  });
  const { registrations, errors } = await record(
    () => new WebsocketRelay("relay", argsFromConfig(new pulumi.Config(project))),
    { stack: "prod", config: asRuntimeConfig({ project, values: given }) },
  );
  expect(errors).to.deep.equal([]);
  return registrations.filter(({ type }) => type.startsWith("aws:"));
}

/** For each control, a change of a resource's inputs after which the resource does not meet it. */
const breaches: Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>[]> = {
  "APIGateway.1": everyRoute({ loggingLevel: "OFF" }),
  "no data tracing: it logs tokens and payloads": everyRoute({ dataTraceEnabled: true }),
  "APIGateway.9": () => [{ accessLogSettings: undefined }],
  "APIGateway.10": () => [{ connectionType: "VPC_LINK" }],
  "CloudWatch.15": () => [{ alarmActions: [] }, { alarmActions: undefined }],
  "CloudWatch.16": () => [{ retentionInDays: 90 }, { retentionInDays: undefined }],
  "CloudWatch.17": () => [{ actionsEnabled: false }],
  "cloudwatch-log-group-encrypted": () => [{ kmsKeyId: undefined }],
  "DynamoDB.1": () => [{ billingMode: "PROVISIONED" }],
  "DynamoDB.2": () => [{ pointInTimeRecovery: { enabled: false } }, { pointInTimeRecovery: undefined }],
  "DynamoDB.6": () => [{ deletionProtectionEnabled: undefined }],
  "dynamodb-table-encrypted-kms": () => [{ serverSideEncryption: { enabled: false } }],
  "IAM.1": withStatement({ Effect: "Allow", Action: "*", Resource: "arn:aws:iam::111122223333:role/r" }),
  "IAM.21": withStatement({ Effect: "Allow", Action: ["dynamodb:*"], Resource: "arn:aws:dynamodb:::table/t" }),
  "KMS.2": withStatement({ Effect: "Allow", Action: ["kms:Decrypt"], Resource: "*" }),
  "Lambda.1": () => [{ principal: "*" }, { sourceArn: undefined }],
  "Lambda.2": () => [{ runtime: "nodejs18.x" }],
  "Lambda.5": () => [{ vpcConfig: { subnetIds: ["subnet-1"] } }],
  "SNS.1": () => [{ kmsMasterKeyId: undefined }],
  "SNS.4": withStatement({ Effect: "Allow", Principal: "*", Action: "SNS:Publish", Resource: "t" }),
  "SQS.1": () => [{ sqsManagedSseEnabled: undefined, kmsMasterKeyId: undefined }],
  "SQS.3": withStatement({ Effect: "Allow", Principal: { AWS: "*" }, Action: "sqs:SendMessage", Resource: "q" }),
  "sqs-queue-policy-full-access-check": withStatement({
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::444455556666:root" },
    Action: "sqs:*",
    Resource: "q",
  }),
  "sqs-queue-dlq-check": () => [{ redrivePolicy: undefined }],
  "DynamoDB.5": untagged,
  "IAM.24": untagged,
  "Lambda.6": untagged,
  "SNS.3": untagged,
  "SQS.2": untagged,
};

/** Each of the stage's settings by itself: the defaults, and those of every route. */
function everyRoute(change: object) {
  return (inputs: Record<string, unknown>): Record<string, unknown>[] => {
    // An HTTP API has none of these settings.
    if (inputs.name === "$default") return [];
    const routes = inputs.routeSettings as object[];
    return [
      { defaultRouteSettings: { ...(inputs.defaultRouteSettings as object), ...change } },
      ...routes.map((_, index) => ({
        routeSettings: routes.map((route, at) => (at === index ? { ...route, ...change } : route)),
      })),
    ];
  };
}

function untagged(): Record<string, unknown>[] {
  return [{ tags: {} }, { tags: undefined }];
}

function withStatement(statement: object) {
  return ({ policy }: Record<string, unknown>): Record<string, unknown>[] => {
    const document = JSON.parse(policy as string) as { Statement: object[] };
    return [{ policy: JSON.stringify({ ...document, Statement: [...document.Statement, statement] }) }];
  };
}

/** TLS is asked of queues and topics, and a policy has it: it is broken there. */
const tls = "queues and topics that deny calls without TLS";

function isOf({ types }: Control, { type }: Registered): boolean {
  return types.some((own) => type === `aws:${own}`);
}

for (const delivery of deliveries) {
  describe(`what Pulumi.prod.yaml registers in ${delivery} mode`, () => {
    let bare: Registered[];
    let withAll: Registered[];
    before(async () => {
      bare = await registeredByProd(delivery, []);
      withAll = await registeredByProd(delivery, hardeningSettings);
    });

    it("meets each control of Security Hub and AWS Config, or has a reasoned exception", () => {
      expect(violations(bare, [])).to.deep.equal([]);
    });

    it("meets more of them with a key, alarm actions and a longer retention", () => {
      expect(violations(withAll, hardeningSettings)).to.deep.equal([]);
    });

    it("needs each exception", () => {
      expect(needlessExceptions(bare, [])).to.deep.equal([]);
      expect(needlessExceptions(withAll, hardeningSettings)).to.deep.equal([]);
    });

    it("registers only types of resources that were compared with the controls", () => {
      const types = [...new Set(bare.map(({ type }) => type.replace(/^aws:/, "")))];
      const compared = [...controls.flatMap((control) => control.types), ...typesWithoutControls];
      expect(types.filter((type) => !compared.includes(type))).to.deep.equal([]);
    });

    for (const control of controls.filter(({ exception }) => !exception || exception.unless || exception.resources)) {
      const name = controlName(control);
      if (name === tls) continue;
      it(`would not pass without ${name}, which is named with the resource`, () => {
        const subjects = withAll.filter(
          (resource) => isOf(control, resource) && !control.exception?.resources?.test(resource.name),
        );
        expect(subjects).to.not.be.empty;
        for (const subject of subjects) {
          for (const change of breaches[name]?.(subject.inputs) ?? []) {
            const changed = withAll.map((resource) =>
              resource === subject ? { ...resource, inputs: { ...resource.inputs, ...change } } : resource,
            );
            expect(violations(changed, hardeningSettings), JSON.stringify(change)).to.deep.equal([
              `${name}: ${subject.name}`,
            ]);
          }
        }
      });
    }

    it("would not pass where any topic or queue takes calls without TLS, which is named", () => {
      const policies = bare.filter(({ type }) => /^aws:s[nq]s\/\w+Policy:/.test(type));
      expect(policies).to.have.lengthOf(delivery === "replay" ? 6 : 4);
      for (const subject of policies) {
        const named = [`${tls}: ${subject.name.replace(/-policy$/, "")}`];
        expect(
          violations(
            bare.filter((resource) => resource !== subject),
            [],
          ),
        ).to.deep.equal(named);
        for (const change of withoutTlsStatement(subject)) {
          const changed = bare.map((resource) => (resource === subject ? { ...resource, inputs: change } : resource));
          expect(violations(changed, []), JSON.stringify(change)).to.deep.equal(named);
        }
      }
    });
  });
}

/** A policy without its statement about TLS, and with ones that deny less. */
function withoutTlsStatement({ inputs }: Registered): Record<string, unknown>[] {
  const document = JSON.parse(inputs.policy as string) as {
    Statement: { Effect: string; Action: string | string[] }[];
  };
  const change = (statements: object[]) => ({
    ...inputs,
    policy: JSON.stringify({ ...document, Statement: statements }),
  });
  const others = document.Statement.filter(({ Effect }) => Effect === "Allow");
  const [deny] = document.Statement.filter(({ Effect }) => Effect === "Deny");
  const onlySome = Array.isArray(deny?.Action) ? deny.Action.slice(1) : ["sqs:SendMessage"];
  return [
    change(others),
    change([...others, { ...deny, Condition: { Bool: { "aws:SecureTransport": "true" } } }]),
    change([...others, { ...deny, Principal: { AWS: "arn:aws:iam::444455556666:root" } }]),
    change([...others, { ...deny, Action: onlySome }]),
  ];
}

describe("the controls", () => {
  it("have one breach each in this test, but for those that only have an exception", () => {
    const breakable = controls.filter(({ exception }) => !exception || exception.unless || exception.resources);
    expect(breakable.map(controlName)).to.have.members([...Object.keys(breaches), tls]);
  });

  it("are told apart by their names", () => {
    const names = controls.map(controlName);
    expect([...new Set(names)]).to.deep.equal(names);
  });

  it("are on the docs page, each exception with its reason", async () => {
    const text = (await securityPage(pageBefore)).replaceAll(/\s+/g, " ");
    for (const { securityHub, configRule, asks, exception } of controls) {
      expect(text)
        .to.include(securityHub ?? configRule ?? asks)
        .and.include(asks);
      if (exception) expect(text).to.include(exception.reason);
    }
    expect(text).to.match(/^# Before .* After$/);
  });

  it("are refused for a page that has no place for them", async () => {
    expect(await securityPage("# Security").catch(String)).to.include("docs/security.md has no part between");
  });
});

const pageBefore = `# Before

<!-- Generated from packaging/securityControls.ts by packaging/generateConfiguration.ts: change the controls, and run that. -->

Old.

<!-- End of the generated part. -->

After`;
