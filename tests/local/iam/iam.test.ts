import { expect } from "chai";
import { AccessDenied, administrator, Iam, type Principal } from "../../../local/iam/iam";
import { roleArn, roleCredentials } from "../../../local/iam/roles";
import { refusal } from "../../support/refusal";
import { everything, policyOf, registerRole, type Statement } from "./roles";

const table = "arn:aws:dynamodb:us-east-1:000000000000:table/t";
const queue = "arn:aws:sqs:us-east-1:000000000000:q";
const topic = "arn:aws:sns:us-east-1:000000000000:t";
const put: Statement = { Action: "dynamodb:PutItem", Resource: table };

function headers({ accessKeyId, sessionToken }: { accessKeyId: string; sessionToken?: string }) {
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261125/us-east-1/sqs/aws4_request, SignedHeaders=host`,
    ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
  };
}

function start(...statements: Statement[]) {
  const iam = new Iam();
  const role = registerRole(iam, "connect", ...statements);
  const principal = iam.functionPrincipal(role.arn, "f");
  const denial = async (action: string, resource: string, resourcePolicy?: string, as: Principal = principal) =>
    (await refusal(iam.authorize({ principal: as, action, resource, resourcePolicy }))).message;
  return { iam, role, principal, denial };
}

describe("who calls", () => {
  it("is a function's role by its access key, in the session that its token names", () => {
    const { iam, role } = start();
    const principal = iam.principalOf(headers(roleCredentials(role.arn, "relay-connect")));
    expect(principal).to.deep.equal({ kind: "role", role, sessionName: "relay-connect" });
  });

  it("is still a role that has been deleted, which may do nothing any more", async () => {
    const { iam, role } = start(put);
    const signed = headers(roleCredentials(role.arn, "relay-connect"));
    iam.roles.delete("connect");
    const principal = iam.principalOf(signed);
    expect(principal).to.include({ kind: "role" });
    const { message } = await refusal(iam.authorize({ principal, action: "dynamodb:PutItem", resource: table }));
    expect(message).to.contain("not authorized");
  });

  it("has an access key of its own for each role", () => {
    const [one, other] = ["one", "other"].map((name) => roleCredentials(roleArn(name), "f").accessKeyId);
    expect(one).to.match(/^ASIA[0-9A-F]{16}$/);
    expect(one).not.to.equal(other);
  });

  it("is the administrator of the account that twelve digits are, and of the organization that its token names", () => {
    const { iam } = start();
    const signed = headers({ accessKeyId: "111122223333", sessionToken: "o-example1234" });
    expect(iam.principalOf(signed)).to.deep.equal({
      kind: "administrator",
      account: "111122223333",
      organization: "o-example1234",
    });
  });

  it("is the local account's administrator with any other access key, and without a signature", () => {
    const { iam } = start();
    expect(iam.principalOf(headers({ accessKeyId: "local" }))).to.deep.equal(administrator);
    expect(iam.principalOf({})).to.deep.equal(administrator);
  });
});

describe("a role's call", () => {
  it("is allowed by its inline policies, on the resources that they name", async () => {
    const { iam, principal, denial } = start(put);
    await iam.authorize({ principal, action: "dynamodb:PutItem", resource: table });
    expect(await denial("dynamodb:PutItem", `${table}-2`)).to.contain("not authorized");
  });

  it("is denied in AWS's words", async () => {
    const { denial } = start(put);
    const session = "arn:aws:sts::000000000000:assumed-role/connect/f";
    expect(await denial("dynamodb:GetItem", table)).to.equal(
      `User: ${session} is not authorized to perform: dynamodb:GetItem on resource: ${table} ` +
        "because no identity-based policy allows the dynamodb:GetItem action",
    );
    expect(await denial("sqs:SendMessage", queue)).to.contain("perform: sqs:sendmessage on resource");
    expect(await denial("sns:Publish", topic)).to.contain("allows the SNS:Publish action");
  });

  it("is denied by an explicit deny, of its own or of the resource", async () => {
    const own = start(everything, { ...put, Effect: "Deny" });
    expect(await own.denial("dynamodb:PutItem", table)).to.match(/with an explicit deny in an identity-based policy$/);
    const { denial } = start(everything);
    const policy = policyOf({ Effect: "Deny", Principal: "*", Action: "sqs:SendMessage", Resource: queue });
    expect(await denial("sqs:SendMessage", queue, policy)).to.match(
      /with an explicit deny in a resource-based policy$/,
    );
  });

  it("is allowed by the resource's policy where that names the role", async () => {
    const { iam, role, principal } = start();
    const resourcePolicy = policyOf({ Principal: { AWS: role.arn }, Action: "sqs:SendMessage", Resource: queue });
    await iam.authorize({ principal, action: "sqs:SendMessage", resource: queue, resourcePolicy });
  });

  it("is bounded by a boundary that the program registered", async () => {
    const { iam, role, denial } = start(everything);
    iam.roles.putManagedPolicy("arn:aws:iam::000000000000:policy/boundary", policyOf({ ...put, Action: "dynamodb:*" }));
    iam.roles.put({ ...role, permissionsBoundary: "arn:aws:iam::000000000000:policy/boundary" });
    const principal = iam.functionPrincipal(role.arn, "f");
    await iam.authorize({ principal, action: "dynamodb:PutItem", resource: table });
    expect(await denial("sqs:SendMessage", queue, undefined, principal)).to.match(
      /because no permissions boundary allows the sqs:sendmessage action$/,
    );
  });

  it("is judged by what its role may do at the time", async () => {
    const { iam, principal, denial } = start(put);
    await iam.authorize({ principal, action: "dynamodb:PutItem", resource: table });
    iam.roles.deleteInlinePolicy("connect", "policy");
    expect(await denial("dynamodb:PutItem", table)).to.contain("not authorized");
    iam.roles.putInlinePolicy("connect", "policy", policyOf(put));
    await iam.authorize({ principal, action: "dynamodb:PutItem", resource: table });
    iam.roles.delete("connect");
    expect(await denial("dynamodb:PutItem", table)).to.contain("not authorized");
  });

  it("is denied with an action that IAM does not know, and by a policy that cannot be evaluated", async () => {
    const { denial } = start(everything);
    expect(await denial("sqs:Guess", queue)).to.contain("invalid.action");
    const conditional = start({ ...put, Condition: { StringEquals: { "aws:SourceVpc": "vpc-1" } } });
    expect(await conditional.denial("dynamodb:PutItem", table)).to.contain("aws:SourceVpc is not modelled");
  });
});

describe("an administrator's call", () => {
  const foreign: Principal = { kind: "administrator", account: "111122223333", organization: "o-example1234" };
  const publish = (principal: Principal, resourcePolicy?: string) => ({
    principal,
    action: "sns:Publish",
    resource: topic,
    resourcePolicy,
  });

  it("is allowed in the account itself, unless the resource's policy denies it", async () => {
    const { iam, denial } = start();
    await iam.authorize(publish(administrator));
    await iam.authorize(publish(administrator, "{}"));
    const policy = policyOf({ Effect: "Deny", Principal: "*", Action: "sns:Publish", Resource: topic });
    expect(await denial("sns:Publish", topic, policy, administrator)).to.contain("explicit deny");
  });

  it("is allowed in another account only by the resource's policy: by account, or by organization", async () => {
    const { iam, denial } = start();
    expect(await denial("sns:Publish", topic, undefined, foreign)).to.match(/because no resource-based policy allows/);
    const allow = { Action: "sns:Publish", Resource: topic };
    await iam.authorize(publish(foreign, policyOf({ ...allow, Principal: { AWS: "111122223333" } })));
    const inOrganization = (id: string) =>
      policyOf({ ...allow, Principal: "*", Condition: { StringEquals: { "aws:PrincipalOrgID": id } } });
    await iam.authorize(publish(foreign, inOrganization("o-example1234")));
    expect(await denial("sns:Publish", topic, inOrganization("o-other12345"), foreign)).to.contain("not authorized");
  });
});

describe("the use of a KMS key", () => {
  const key = "arn:aws:kms:us-east-1:000000000000:key/1";
  const decrypt: Statement = { Action: "kms:Decrypt", Resource: key };
  const use = { service: "sqs" as const, key, actions: ["kms:Decrypt"] };

  it("is free where the service's own encryption, or an AWS managed key, is used", () => {
    const { iam, principal } = start();
    expect(iam.keys.requests({ ...use, principal, key: undefined })).to.deep.equal([]);
    expect(iam.keys.requests({ ...use, principal, key: "alias/aws/sqs" })).to.deep.equal([]);
  });

  it("is up to IAM with a key that the program only names, and with one whose policy says so", async () => {
    const [may, mayNot] = [start(decrypt), start()];
    for (const { iam } of [may, mayNot]) iam.keys.put(`${key}2`, undefined);
    await may.iam.authorize(...may.iam.keys.requests({ ...use, principal: may.principal }));
    const requests = (of: string) => mayNot.iam.keys.requests({ ...use, key: of, principal: mayNot.principal });
    for (const of of [key, "1", `${key}2`]) {
      expect(await refusal(mayNot.iam.authorize(...requests(of))), of).to.be.instanceOf(AccessDenied);
    }
  });

  it("is up to the key's policy alone where that does not leave it to IAM", async () => {
    const { iam, principal, role } = start(decrypt);
    iam.keys.put(key, policyOf({ Principal: { AWS: roleArn("other") }, Action: "kms:*", Resource: "*" }));
    const denied = await refusal(iam.authorize(...iam.keys.requests({ ...use, principal })));
    expect(denied.message).to.match(/because no resource-based policy allows the kms:Decrypt action$/);
    iam.keys.put(key, policyOf({ Principal: { AWS: role.arn }, Action: "kms:Decrypt", Resource: "*" }));
    await iam.authorize(...iam.keys.requests({ ...use, principal }));
  });

  it("can be narrowed to a service, and named by an alias", async () => {
    const via = (service: string) => ({
      ...decrypt,
      Condition: { StringEquals: { "kms:ViaService": `${service}.us-east-1.amazonaws.com` } },
    });
    const { iam, principal } = start(via("sqs"));
    iam.keys.putAlias("alias/mine", key);
    await iam.authorize(...iam.keys.requests({ ...use, principal, key: "alias/mine" }));
    const other = iam.keys.requests({ ...use, principal, service: "dynamodb" });
    expect(await refusal(iam.authorize(...other))).to.be.instanceOf(AccessDenied);
  });
});

describe("the recorder", () => {
  it("counts equal calls, and keeps what was allowed apart from what was denied", async () => {
    const { iam, principal, denial } = start(put);
    const call = { principal, action: "dynamodb:PutItem", resource: table };
    await iam.authorize(call);
    await iam.authorize(call);
    iam.roles.deleteInlinePolicy("connect", "policy");
    await denial("dynamodb:PutItem", table);
    const authorizations = iam.authorizations.all();
    expect(authorizations.map(({ decision, calls }) => [decision, calls])).to.deep.equal([
      ["allowed", 2],
      ["denied", 1],
    ]);
    expect(authorizations[0]).to.include({
      principal: "arn:aws:sts::000000000000:assumed-role/connect/f",
      action: "dynamodb:PutItem",
      resource: table,
    });
    expect(authorizations[0]?.context).to.include({ "aws:PrincipalArn": roleArn("connect") });
  });
});
