import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import { iamResources } from "../../../local/provision/iam";
import type { LocalResource, Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { policyOf } from "../iam/roles";
import { resourceOf } from "./resourceOf";

const assumeRolePolicy = policyOf({ Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" });
const policy = policyOf({ Action: "sqs:SendMessage", Resource: "*" });

function start() {
  const iam = new Iam();
  const lines: string[] = [];
  const resources = iamResources({ iam, log: (line) => lines.push(line) });
  const resource = (type: string) => resourceOf(resources, `aws:iam/${type}`) as Required<LocalResource>;
  const create = (type: string, inputs: Properties) => resource(type).create({ name: "relay", inputs });
  return { iam, lines, resource, create };
}

describe("a provisioned role", () => {
  it("is autonamed, and can be assumed by whom it says", async () => {
    const { iam, create } = start();
    const { id, outputs } = await create("role:Role", { assumeRolePolicy });
    expect(id).to.match(/^relay-[0-9a-f]{7}$/);
    expect(outputs).to.include({ name: id, arn: `arn:aws:iam::000000000000:role/${id}` });
    expect(outputs["uniqueId"]).to.match(/^AROA/);
    expect(await iam.canAssume("lambda.amazonaws.com", String(outputs["arn"]))).to.equal(true);
    expect(await iam.canAssume("ecs-tasks.amazonaws.com", String(outputs["arn"]))).to.equal(false);
  });

  it("changes in place and keeps its policies, and is gone with them when it is deleted", async () => {
    const { iam, resource, create } = start();
    const { id, outputs } = await create("role:Role", { name: "mine", path: "/team/", assumeRolePolicy });
    await create("rolePolicy:RolePolicy", { name: "send", role: id, policy });
    const inputs = { name: "mine", path: "/team/", assumeRolePolicy: JSON.parse(assumeRolePolicy) as unknown };
    expect(await resource("role:Role").update(id, { name: "relay", inputs }, outputs)).to.deep.equal(outputs);
    expect(outputs["arn"]).to.equal("arn:aws:iam::000000000000:role/team/mine");
    expect(iam.roles.inlinePolicies(id)).to.deep.equal([{ name: "send", document: policy }]);
    await resource("role:Role").delete(id, outputs);
    expect(iam.roles.policies()).to.deep.equal([]);
  });

  it("is found by its name, which aws.iam.Role.get asks for, and no other is", async () => {
    const { resource, create } = start();
    const { id, outputs } = await create("role:Role", { name: "mine", assumeRolePolicy });
    expect(await resource("role:Role").read(id)).to.include({ name: "mine", arn: outputs["arn"], assumeRolePolicy });
    expect(await resource("role:Role").read("another")).to.equal(undefined);
  });

  it("is refused under a name that is taken", async () => {
    const { create } = start();
    await create("role:Role", { name: "mine", assumeRolePolicy });
    const { message } = await refusal(create("role:Role", { name: "mine", assumeRolePolicy }));
    expect(message).to.contain("EntityAlreadyExists");
  });

  const unusable: [what: string, type: string, inputs: Properties, message: RegExp][] = [
    [
      "a role's name of 65 characters",
      "role:Role",
      { name: "r".repeat(65), assumeRolePolicy },
      /name of role relay must be 1 to 64 letters/,
    ],
    ["a role's name with a space", "role:Role", { name: "my role", assumeRolePolicy }, /got my role/],
    [
      "a role's path without a slash at its end",
      "role:Role",
      { name: "r", path: "/a", assumeRolePolicy },
      /path.*got \/a/,
    ],
    ["a policy's name of 129 characters", "policy:Policy", { name: "p".repeat(129), policy }, /1 to 128 letters/],
    [
      "a trust policy of over 2,048 characters",
      "role:Role",
      { name: "r", assumeRolePolicy: { ...(JSON.parse(assumeRolePolicy) as object), Id: "i".repeat(2048) } },
      /LimitExceeded: assumeRolePolicy.*at most 2048 characters/,
    ],
    [
      "a managed policy of over 6,144 characters",
      "policy:Policy",
      { name: "p", policy: { ...(JSON.parse(policy) as object), Id: "i".repeat(6144) } },
      /LimitExceeded: policy.*at most 6144 characters/,
    ],
  ];
  for (const [what, type, inputs, message] of unusable) {
    it(`is refused for ${what}`, async () => {
      const { create } = start();
      expect((await refusal(create(type, inputs))).message).to.match(message);
    });
  }

  it("has inline policies of at most 10,240 characters together, without their white space", async () => {
    const { create } = start();
    await create("role:Role", { name: "mine", assumeRolePolicy });
    const long = (characters: number) => ({ ...(JSON.parse(policy) as object), Id: "i".repeat(characters) });
    const inline = (name: string, document: object) =>
      create("rolePolicy:RolePolicy", { role: "mine", name, policy: JSON.stringify(document, undefined, 2) });
    await inline("first", long(5_000));
    const { message } = await refusal(inline("second", long(5_240)));
    expect(message).to.match(/LimitExceeded: policy of role mine .*at most 10240 characters/);
    await inline("second", long(4_900));
  });

  it("has the boundary that the program registered, and says of another that it is not enforced", async () => {
    const { iam, lines, create } = start();
    const { outputs } = await create("policy:Policy", { name: "boundary", policy });
    await create("role:Role", { name: "bounded", assumeRolePolicy, permissionsBoundary: outputs["arn"] });
    expect(lines).to.deep.equal([]);
    expect(iam.roles.get("bounded")?.permissionsBoundary).to.equal("arn:aws:iam::000000000000:policy/boundary");
    const permissionsBoundary = "arn:aws:iam::000000000000:policy/elsewhere";
    await create("role:Role", { assumeRolePolicy, permissionsBoundary });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain(permissionsBoundary).and.contain("not enforced");
  });
});

describe("a provisioned role policy", () => {
  it("is set, changed and removed", async () => {
    const { iam, resource, create } = start();
    await create("role:Role", { name: "mine", assumeRolePolicy });
    const { id, outputs } = await create("rolePolicy:RolePolicy", { role: "mine", policy });
    expect(id).to.match(/^mine:relay-[0-9a-f]{7}$/);
    const changed = policyOf({ Action: "sqs:DeleteMessage", Resource: "*" });
    const inputs = { role: "mine", policy: changed };
    await resource("rolePolicy:RolePolicy").update(id, { name: "relay", inputs }, outputs);
    expect(iam.roles.inlinePolicies("mine").map(({ document }) => document)).to.deep.equal([changed]);
    await resource("rolePolicy:RolePolicy").delete(id, outputs);
    expect(iam.roles.inlinePolicies("mine")).to.deep.equal([]);
  });

  const refusals: [claim: string, inputs: Properties, message: RegExp][] = [
    ["of a role that does not exist", { role: "missing", policy }, /NoSuchEntity.*missing/],
    ["that is not JSON", { role: "mine", policy: "{" }, /MalformedPolicyDocument/],
    [
      "with a condition key that no request has here",
      {
        role: "mine",
        policy: policyOf({ Action: "*", Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } }),
      },
      /aws:MultiFactorAuthPresent is not modelled/,
    ],
  ];
  for (const [claim, inputs, message] of refusals) {
    it(`is refused ${claim}`, async () => {
      const { create } = start();
      await create("role:Role", { name: "mine", assumeRolePolicy });
      expect((await refusal(create("rolePolicy:RolePolicy", inputs))).message).to.match(message);
    });
  }
});
