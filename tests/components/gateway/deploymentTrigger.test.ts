import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import type { CallbackFunction } from "../../../components";
import { Gateway } from "../../../components/gateway/gateway";
import { resolveArgs } from "../../../components/args/args";
import { record } from "../../support/recorder";

describe("the deployment's trigger", () => {
  it("is the same from run to run, in any order of the provider's answers", async () => {
    const reordered = changed("relay-ping-integration", ({ requestTemplates, ...inputs }) => ({
      ...inputs,
      requestTemplates: Object.fromEntries(Object.entries(requestTemplates as object).reverse()),
    }));
    const twoTemplates = { requestTemplates: { $default: "a", other: "b" } };
    const extended = changed("relay-ping-integration", (inputs) => ({ ...inputs, ...twoTemplates }));

    expect(await trigger()).to.match(/^[0-9a-f]{64}$/);
    expect(await trigger()).to.equal(await trigger());
    expect(await trigger({ transformations: [extended, reordered] })).to.equal(
      await trigger({ transformations: [extended] }),
    );
  });

  it("is known, and the same, in a preview of an unchanged program, even if the provider omits values", async () => {
    expect(await trigger({}, { preview: true, created: true })).to.equal(await trigger());
  });

  it("is unknown in a preview that is to create what it hashes", async () => {
    expect(await trigger({}, { preview: true })).to.equal(pulumi.unknown);
  });

  it("is unknown in a preview in which a route is to get something that is not there yet", async () => {
    const authorizerId = pulumi.output(pulumi.unknown);
    const transformations = [changed("relay-connect-route", (inputs) => ({ ...inputs, authorizerId }))];

    expect(await trigger({ transformations }, { preview: true, created: true })).to.equal(pulumi.unknown);
  });

  it("is not changed by what is empty, which a refresh may add", async () => {
    const transformations = [
      changed("relay-connect-route", (inputs) => ({
        ...inputs,
        authorizationScopes: [],
        authorizerId: "",
        apiKeyRequired: false,
        requestModels: {},
      })),
    ];
    expect(await trigger({ transformations })).to.equal(await trigger());
  });

  const changes: [what: string, resource: string, inputs: object][] = [
    ["an authorizer of $connect", "relay-connect-route", { authorizationType: "CUSTOM", authorizerId: "authorizer" }],
    ["a required API key", "relay-connect-route", { apiKeyRequired: true }],
    ["a route's request parameters", "relay-connect-route", { requestParameters: [{ requestParameterKey: "a" }] }],
    ["a route's model", "relay-ping-route", { requestModels: { $default: "ping" } }],
    ["a route's target", "relay-disconnect-route", { target: "integrations/other" }],
    ["a route's response", "relay-disconnect-route", { routeResponseSelectionExpression: "$default" }],
    ["the target of the frames", "relay-resume-route", { target: "integrations/other" }],
    ["an integration's time-out", "relay-connect-integration", { timeoutMilliseconds: 5_000 }],
    ["an integration's role", "relay-connect-integration", { credentialsArn: "arn:aws:iam::444455556666:role/r" }],
    ["an integration's function", "relay-disconnect-integration", { integrationUri: "invoke:other" }],
    ["an integration's request template", "relay-ping-integration", { requestTemplates: { $default: "{}" } }],
    [
      "the ping's answer",
      "relay-ping-integration-response",
      { responseTemplates: { $default: '{"type":"pong","v":2}' } },
    ],
    ["a route response's model", "relay-ping-route-response", { responseModels: { $default: "pong" } }],
    ["the route selection", "relay-api", { routeSelectionExpression: "$request.body.type" }],
  ];
  for (const [what, resource, inputs] of changes) {
    it(`changes with ${what}`, async () => {
      const transformations = [changed(resource, (given) => ({ ...given, ...inputs }))];

      expect(await trigger({ transformations })).not.to.equal(await trigger());
    });
  }

  it("changes when the frames are routed to functions, and when they no longer are", async () => {
    const inRetryMode = await trigger();
    const inReplayMode = await trigger({}, {}, true);

    expect(inReplayMode).not.to.equal(inRetryMode);
  });

  it("does not change with what the stage holds", async () => {
    const transformations = [changed("relay-stage", (inputs) => ({ ...inputs, description: "the live one" }))];

    expect(await trigger({ transformations })).to.equal(await trigger());
  });
});

async function trigger(opts: pulumi.ComponentResourceOptions = {}, options = {}, hasFrames = false): Promise<unknown> {
  applied.clear();
  const { registrations, errors } = await record(() => deployedGateway(opts, hasFrames), options);
  expect(errors).to.deep.equal([]);
  expect(applied.size, "changes that were made").to.equal(opts.transformations?.length ?? 0);
  const deployment = registrations.find(({ name }) => name === "relay-deployment");
  const { contents } = deployment?.inputs.triggers as { contents: unknown };
  if (contents !== pulumi.unknown) expect(contents).to.match(/^[0-9a-f]{64}$/);
  return contents;
}

/** The changes that the last run made: one of a resource that does not exist proves nothing. */
const applied = new Set<unknown>();

function deployedGateway(opts: pulumi.ComponentResourceOptions, hasFrames: boolean): void {
  const functionOf = (name: string) =>
    ({ function: new aws.lambda.Function(name, { role: "role" }) }) as unknown as CallbackFunction;
  new Gateway("relay", { stageName: "live", ipAddressType: "ipv4", customDomain: undefined, tags: {} }, opts).deploy({
    connect: functionOf("relay-connect"),
    disconnect: functionOf("relay-disconnect"),
    frames: hasFrames
      ? { resume: functionOf("relay-resume"), acknowledge: functionOf("relay-acknowledge") }
      : undefined,
    gatewayLogs: undefined,
    logRetentionInDays: 30,
    throttles: resolveArgs({ auth: null }).throttles,
  });
}

/** Mocks know no `transforms`; to the trigger, `transformations` come to the same. */
function changed(
  resource: string,
  change: (inputs: Record<string, unknown>) => Record<string, unknown>,
): pulumi.ResourceTransformation {
  return ({ name, props, opts }) => {
    if (name !== resource) return undefined;
    applied.add(change);
    return { props: change(props as Record<string, unknown>), opts };
  };
}
