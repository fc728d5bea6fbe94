import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import { roleArn } from "../../../local/iam/roles";
import { LambdaService } from "../../../local/lambda/lambdaService";
import { lambdaResources } from "../../../local/provision/lambda";
import type { LocalResource, Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { everything, policyOf, registerRole } from "../iam/roles";

describe("provisioning of aws.lambda", () => {
  let iam: Iam;
  let lambda: LambdaService;
  let functions: LocalResource;
  let permissions: LocalResource;

  beforeEach(() => {
    iam = new Iam();
    registerRole(iam, "r", everything);
    lambda = new LambdaService({ environment: () => ({}), log: () => undefined, iam });
    const resources = lambdaResources(lambda, iam);
    functions = resources["aws:lambda/function:Function"] as LocalResource;
    permissions = resources["aws:lambda/permission:Permission"] as LocalResource;
  });

  afterEach(() => lambda.close());

  function create(changes: Properties = {}) {
    return functions.create({ name: "relay-deliver", inputs: functionInputs(changes) });
  }

  it("creates a function that can be invoked by its ARN", async () => {
    const { outputs } = await create();

    expect(await lambda.invoke(String(outputs["arn"]), {})).to.deep.equal({ payload: "first" });
  });

  it("answers the provider's outputs, with a name made from the logical one", async () => {
    const { id, outputs } = await create();

    expect(id).to.match(/^relay-deliver-[0-9a-f]{7}$/);
    const arn = `arn:aws:lambda:us-east-1:000000000000:function:${id}`;
    expect(outputs).to.deep.equal({
      arn,
      name: id,
      invokeArn: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${arn}/invocations`,
      qualifiedArn: `${arn}:$LATEST`,
      version: "$LATEST",
    });
  });

  it("takes a given name, and refuses it a second time", async () => {
    expect((await create({ name: "mine" })).id).to.equal("mine");

    expect((await refusal(create({ name: "mine" }))).message).to.contain("ResourceConflictException");
  });

  it("has AWS's defaults for timeout and memory", async () => {
    const { id } = await create({ code: code("exports.handler = async (_, c) => c.memoryLimitInMB;") });

    expect(lambda.functionTimeoutSeconds(id)).to.equal(3);
    expect(await lambda.invoke(id, {})).to.deep.equal({ payload: "128" });
  });

  it("takes an environment of exactly 4096 bytes", async () => {
    await create({ environment: { variables: { KEY: "x".repeat(4093) } } });
  });

  it("refuses a role that Lambda may not assume, and one that does not exist", async () => {
    const assumeRolePolicy = policyOf({ Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" });
    iam.roles.put({ name: "task", arn: roleArn("task"), assumeRolePolicy });
    for (const name of ["task", "missing"]) {
      const { message } = await refusal(create({ role: roleArn(name) }));
      expect(message).to.contain("The role defined for the function cannot be assumed by Lambda").and.contain(name);
    }
  });

  it("updates in place: the ARN stays, and the code is the new one", async () => {
    const { id, outputs } = await create();
    const inputs = functionInputs({ code: code("exports.handler = async () => 'second';") });

    const updated = await functions.update?.(id, { name: "relay-deliver", inputs }, outputs);

    expect(updated).to.deep.equal(outputs);
    expect(await lambda.invoke(id, {})).to.deep.equal({ payload: "second" });
  });

  it("takes a customer key for its environment", async () => {
    const { id } = await create({ kmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" });
    expect(await lambda.invoke(id, {})).to.deep.equal({ payload: "first" });
  });

  it("replaces a function whose name or package type changes", () => {
    expect(functions.replaceOnChanges).to.deep.equal(["name", "packageType"]);
  });

  it("deletes a function, and takes one that is gone as deleted", async () => {
    const { id, outputs } = await create();
    await functions.delete(id, outputs);
    await functions.delete(id, outputs);

    expect((await refusal(lambda.invoke(id, {}))).name).to.equal("ResourceNotFoundException");
  });

  const refused: { claim: string; changes: Properties; message: RegExp }[] = [
    {
      claim: "an environment over 4 KB",
      changes: { environment: { variables: { KÉY: "x".repeat(4093) } } },
      message: /4097 bytes/,
    },
    {
      claim: "a reserved variable",
      changes: { environment: { variables: { AWS_REGION: "x" } } },
      message: /AWS_REGION/,
    },
    { claim: "no timeout at all", changes: { timeout: 0 }, message: /timeout.*1 to 900; got 0/ },
    { claim: "a timeout over 900 s", changes: { timeout: 901 }, message: /timeout.*1 to 900; got 901/ },
    { claim: "too little memory", changes: { memorySize: 127 }, message: /memorySize.*128 to 10240; got 127/ },
    { claim: "too much memory", changes: { memorySize: 10_241 }, message: /memorySize.*got 10241/ },
    { claim: "a fraction of memory", changes: { memorySize: 128.5 }, message: /memorySize.*got 128.5/ },
    {
      claim: "a runtime that can no longer be created",
      changes: { runtime: "nodejs20.x" },
      message: /runtime.*nodejs24\.x; got nodejs20\.x/,
    },
    { claim: "no runtime", changes: { runtime: undefined }, message: /runtime.*got nothing/ },
    { claim: "no role", changes: { role: undefined }, message: /role.*got nothing/ },
    { claim: "no handler", changes: { handler: "" }, message: /handler/ },
    { claim: "an unknown architecture", changes: { architectures: ["mips"] }, message: /architectures.*mips/ },
    { claim: "two architectures", changes: { architectures: ["arm64", "x86_64"] }, message: /architectures/ },
    { claim: "an unusable name", changes: { name: "a.b" }, message: /name.*got a\.b/ },
    { claim: "an image", changes: { packageType: "Image" }, message: /packageType.*got Image/ },
    { claim: "a key that is no ARN", changes: { kmsKeyArn: "alias/relay" }, message: /kmsKeyArn.*got alias\/relay/ },
    {
      claim: "a log level of text logs",
      changes: { loggingConfig: { logFormat: "Text", applicationLogLevel: "DEBUG" } },
      message: /loggingConfig\.applicationLogLevel.*absent without logFormat JSON; got DEBUG/,
    },
    {
      claim: "an unknown log level",
      changes: { loggingConfig: { logFormat: "JSON", systemLogLevel: "ERROR" } },
      message: /loggingConfig\.systemLogLevel.*one of DEBUG, INFO, WARN; got ERROR/,
    },
    {
      claim: "a negative reserved concurrency",
      changes: { reservedConcurrentExecutions: -2 },
      message: /reservedConcurrentExecutions.*from 0 to 100000; got -2/,
    },
    { claim: "no code", changes: { code: undefined }, message: /AssetArchive/ },
  ];
  for (const { claim, changes, message } of refused) {
    it(`refuses ${claim}`, async () => {
      expect((await refusal(create(changes))).message).to.match(message);
    });
  }

  describe("an event invoke config", () => {
    const configs = () =>
      lambdaResources(lambda, iam)["aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"] as LocalResource;
    const createConfig = (inputs: Properties) =>
      configs().create({ name: "late", inputs: { functionName: "f", ...inputs } });

    beforeEach(() => create({ name: "f" }));

    it("takes the function's name as its id, by name or ARN, and changes in place", async () => {
      const inputs = { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 0 };
      expect(await createConfig(inputs)).to.deep.equal({ id: "f", outputs: {} });
      const arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
      expect((await createConfig({ functionName: arn })).id).to.equal(arn);
      const changed = { functionName: "f", maximumRetryAttempts: 2 };
      expect(await configs().update?.("f", { name: "late", inputs: changed }, inputs)).to.deep.equal({});
      expect(configs().replaceOnChanges).to.deep.equal(["functionName"]);
      await configs().delete("f", inputs);
    });

    for (const [claim, inputs, message] of [
      ["no function", { functionName: undefined }, /functionName.*got nothing/],
      ["a function that does not exist", { functionName: "absent" }, /ResourceNotFoundException.*absent/],
      ["an age below a minute", { maximumEventAgeInSeconds: 59 }, /maximumEventAgeInSeconds.*60 to 21600; got 59/],
      ["an age over six hours", { maximumEventAgeInSeconds: 21_601 }, /got 21601/],
      ["three retries", { maximumRetryAttempts: 3 }, /maximumRetryAttempts.*0 to 2; got 3/],
    ] as const) {
      it(`refuses ${claim}`, async () => {
        expect((await refusal(createConfig(inputs))).message).to.match(message);
      });
    }
  });

  describe("a permission", () => {
    const caller = {
      principal: "apigateway.amazonaws.com",
      sourceArn: "arn:aws:execute-api:us-east-1:000000000000:a/b/c",
    };
    const inputs = { action: "lambda:InvokeFunction", function: "f", principal: "apigateway.amazonaws.com" };

    beforeEach(() => create({ name: "f" }));

    it("lets its principal invoke until it is deleted", async () => {
      const { id, outputs } = await permissions.create({ name: "allow", inputs });
      expect(id).to.match(/^allow-[0-9a-f]{7}$/);
      expect(outputs).to.deep.equal({ statementId: id });
      expect(await lambda.invoke("f", {}, caller)).to.deep.equal({ payload: "first" });

      await permissions.delete(id, { ...inputs, ...outputs });

      expect((await refusal(lambda.invoke("f", {}, caller))).name).to.equal("AccessDeniedError");
    });

    it("lets in its source ARN only", async () => {
      const sourceArn = "arn:aws:execute-api:us-east-1:000000000000:other/*/c";
      await permissions.create({ name: "allow", inputs: { ...inputs, sourceArn, statementId: "mine" } });

      expect((await refusal(lambda.invoke("f", {}, caller))).name).to.equal("AccessDeniedError");
    });

    it("takes its function being gone as deleted", async () => {
      const { id } = await permissions.create({ name: "allow", inputs });
      await lambda.deleteFunction("f");

      await permissions.delete(id, inputs);
    });

    it("is replaced by every change", () => {
      expect(permissions.update).to.equal(undefined);
    });

    const refusedPermissions: { claim: string; changes: Properties; message: RegExp }[] = [
      { claim: "an unknown function", changes: { function: "absent" }, message: /ResourceNotFoundException.*absent/ },
      { claim: "no action", changes: { action: undefined }, message: /action.*got nothing/ },
      { claim: "an action of another service", changes: { action: "sns:Publish" }, message: /action.*sns:Publish/ },
      { claim: "no principal", changes: { principal: undefined }, message: /principal/ },
    ];
    for (const { claim, changes, message } of refusedPermissions) {
      it(`refuses ${claim}`, async () => {
        const created = permissions.create({ name: "allow", inputs: { ...inputs, ...changes } });

        expect((await refusal(created)).message).to.match(message);
      });
    }
  });
});

function code(body: string) {
  return new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(body) });
}

function functionInputs(changes: Properties): Properties {
  return {
    code: code("exports.handler = async () => 'first';"),
    handler: "index.handler",
    runtime: "nodejs24.x",
    role: roleArn("r"),
    ...changes,
  };
}
