import { expect } from "chai";
import { AccessDeniedError } from "../../../local/lambda/invoker";
import { lambdaFunction, serve } from "./lambdaFixture";
import { refusal } from "../../support/refusal";

describe("the local Lambda service", () => {
  describe("a function's resource policy", () => {
    const caller = {
      principal: "apigateway.amazonaws.com",
      sourceArn: "arn:aws:execute-api:us-east-1:000000000000:abc/dev/$connect",
    };
    const statement = { statementId: "s", action: "lambda:InvokeFunction", principal: "apigateway.amazonaws.com" };

    const allowed = [
      { claim: "without a source ARN", permission: statement },
      {
        claim: "with a source ARN that matches by wildcards",
        permission: { ...statement, sourceArn: "arn:aws:execute-api:us-east-1:000000000000:a?c/*/$connect" },
      },
      { claim: "for the source's account", permission: { ...statement, sourceAccount: "000000000000" } },
      { claim: "of every action", permission: { ...statement, action: "lambda:*" } },
    ];
    for (const { claim, permission } of allowed) {
      it(`allows a caller by a permission ${claim}`, async () => {
        const service = await serve("exports.handler = async () => 1;");
        service.addPermission("f", permission);

        expect(await service.invoke("f", {}, caller)).to.deep.equal({ payload: 1 });
      });
    }

    const denied = [
      { claim: "another principal", permission: { ...statement, principal: "sns.amazonaws.com" } },
      { claim: "another action", permission: { ...statement, action: "lambda:GetFunction" } },
      { claim: "another account", permission: { ...statement, sourceAccount: "111111111111" } },
      {
        claim: "another route",
        permission: { ...statement, sourceArn: "arn:aws:execute-api:us-east-1:000000000000:abc/*/$disconnect" },
      },
      {
        claim: "an ARN that only a wildcard across its parts would match",
        permission: { ...statement, sourceArn: "arn:aws:*:abc/dev/$connect" },
      },
    ];
    for (const { claim, permission } of denied) {
      it(`denies a caller where the permission is for ${claim}`, async () => {
        const service = await serve("exports.handler = async () => 1;");
        service.addPermission("f", permission);

        expect(await refusal(service.invoke("f", {}, caller))).to.be.instanceOf(AccessDeniedError);
      });
    }

    it("denies a caller without any permission, naming function, principal and source", async () => {
      const service = await serve("exports.handler = async () => 1;");

      const { message } = await refusal(service.invoke("f", {}, caller));

      expect(message).to.contain("arn:aws:lambda:us-east-1:000000000000:function:f");
      expect(message).to.contain(caller.principal).and.to.contain(caller.sourceArn);
    });

    it("denies again once the permission is removed", async () => {
      const service = await serve("exports.handler = async () => 1;");
      service.addPermission("f", statement);
      service.removePermission("f", "s");

      expect(await refusal(service.invoke("f", {}, caller))).to.be.instanceOf(AccessDeniedError);
    });

    it("survives a change of the function", async () => {
      const service = await serve("exports.handler = async () => 1;");
      service.addPermission("f", statement);
      await service.putFunction(lambdaFunction("exports.handler = async () => 2;"));

      expect(await service.invoke("f", {}, caller)).to.deep.equal({ payload: 2 });
    });

    it("refuses a statement id twice, and removing one that it does not have", async () => {
      const service = await serve("");
      service.addPermission("f", statement);

      expect(() => service.addPermission("f", statement)).to.throw("ResourceConflictException");
      expect(() => service.removePermission("f", "other")).to.throw("ResourceNotFoundException");
    });
  });
});
