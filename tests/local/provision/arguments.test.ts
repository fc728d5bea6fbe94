import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LocalCloud } from "../../../local/cloud";
import { knownArguments } from "../../../local/provision/arguments";
import { refusal } from "../../support/refusal";

describe("the arguments of a resource", () => {
  let cloud: LocalCloud;
  let lines: string[];

  beforeEach(async () => {
    lines = [];
    cloud = await LocalCloud.start({ audience: "test", userClaim: "sub", log: (line) => lines.push(line) });
  });
  afterEach(() => cloud.close());

  const refused: [type: string, argument: string, value: unknown][] = [
    ["aws:apigatewayv2/api:Api", "corsConfiguration", { allowOrigins: ["*"] }],
    ["aws:apigatewayv2/route:Route", "authorizerId", "a"],
    ["aws:apigatewayv2/stage:Stage", "stageVariables", { key: "value" }],
    ["aws:cloudwatch/eventRule:EventRule", "eventPattern", "{}"],
    ["aws:cloudwatch/eventTarget:EventTarget", "inputPath", "$.a"],
    ["aws:cloudwatch/logGroup:LogGroup", "logGroupClass", "INFREQUENT_ACCESS"],
    ["aws:dynamodb/table:Table", "restoreSourceName", "other"],
    ["aws:dynamodb/table:Table", "streamEnabled", true],
    ["aws:iam/role:Role", "managedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]],
    ["aws:iam/role:Role", "inlinePolicies", [{ name: "send", policy: "{}" }]],
    ["aws:iam/role:Role", "namePrefix", "mine"],
    ["aws:lambda/eventSourceMapping:EventSourceMapping", "filterCriteria", { filters: [{ pattern: "{}" }] }],
    ["aws:lambda/function:Function", "layers", ["arn"]],
    ["aws:lambda/function:Function", "vpcConfig", { subnetIds: ["s"] }],
    ["aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "destinationConfig", { onFailure: {} }],
    ["aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "qualifier", "live"],
    ["aws:lambda/permission:Permission", "principalOrgId", "o-1"],
    ["aws:lambda/permission:Permission", "qualifier", "live"],
    ["aws:kms/key:Key", "multiRegion", true],
    ["aws:sns/topic:Topic", "archivePolicy", '{"MessageRetentionPeriod":1}'],
    ["aws:sns/topicSubscription:TopicSubscription", "replayPolicy", "{}"],
    ["aws:route53/record:Record", "weightedRoutingPolicies", [{ weight: 1 }]],
  ];
  for (const [type, argument, value] of refused) {
    it(`are refused with ${argument} of ${type}, which AWS would act on`, async () => {
      const { message } = await refusal(cloud.provisioner.create(type, "relay", { [argument]: value }));
      expect(message).to.include(`${argument} of ${type} (relay)`).and.include("not modelled in the local run");
    });
  }

  it("are refused in another region than the run's, whatever the type", async () => {
    const created = cloud.provisioner.create("aws:lambda/function:Function", "f", { region: "eu-west-1" });
    expect((await refusal(created)).message).to.match(/region of .* must be us-east-1, .*got eu-west-1/);
  });

  it("are refused before anything is created, as a preview asks", () => {
    const check = () => cloud.provisioner.check("aws:iam/role:Role", "r", { inlinePolicies: [{}] });
    expect(check).to.throw("inlinePolicies of aws:iam/role:Role (r)");
  });

  it("may be false, or empty lists, which ask for nothing", async () => {
    const assumeRolePolicy = { Statement: [] };
    const nothing = { managedPolicyArns: [], somethingNew: false };
    const { id } = await cloud.provisioner.create("aws:iam/role:Role", "r", { assumeRolePolicy, ...nothing });
    expect(id).to.match(/^r-/);
  });

  it("are in the docs' table where they have no effect", () => {
    const page = readFileSync(join(__dirname, "../../../docs/local-run.md"), "utf8");
    const [, table = ""] = page.split("## Arguments without effect");
    const documented = table
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")))
      .flatMap(([, type = "", names = "", why = ""]) => names.split(", ").map((name) => `${type} ${name}: ${why}`));
    const known = Object.entries(knownArguments).flatMap(([type, { withoutEffect = {} }]) =>
      Object.entries(withoutEffect).map(([name, why]) => `${type.split(":").at(-1)} ${name}: ${why}`),
    );
    expect(documented.sort()).to.deep.equal(known.sort());
  });

  it("are known of every type that can be provisioned", () => {
    const types = cloud.provisioner.types.filter((type) => !type.startsWith("pulumi:providers:"));
    expect(Object.keys(knownArguments).sort()).to.deep.equal(types.sort());
  });

  describe("of a provider of the program's own", () => {
    const create = (inputs: object) => cloud.provisioner.create("pulumi:providers:aws", "mine", { ...inputs });

    it("are taken in silence in the run's region", async () => {
      const { id } = await create({ region: "us-east-1", profile: "work", maxRetries: "3" });
      expect(id).to.not.equal("");
      expect(lines).to.deep.equal([]);
    });

    it("are told of where AWS would be elsewhere", async () => {
      await create({ region: "eu-west-1", assumeRoles: '[{"roleArn":"arn:aws:iam::1:role/r"}]', defaultTags: "{}" });
      expect(lines).to.deep.equal([
        "provider mine: region eu-west-1 is taken for us-east-1",
        "provider mine: assumeRoles has no effect: everything is in the account 000000000000",
        "provider mine: defaultTags are set nowhere",
      ]);
    });
  });
});
