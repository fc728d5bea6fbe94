import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { error, failed, serve } from "./lambdaFixture";

describe("the local Lambda service", () => {
  describe("loading a function", () => {
    const cases: { claim: string; body: string; handler?: string; errorType: string; message: RegExp }[] = [
      {
        claim: "refuses a missing module",
        body: "",
        handler: "other.handler",
        errorType: "Runtime.ImportModuleError",
        message: /Cannot find module 'other'/,
      },
      {
        claim: "refuses a module that requires what is not in the archive",
        body: "require('chai');",
        errorType: "Runtime.ImportModuleError",
        message: /Cannot find module 'chai'/,
      },
      {
        claim: "refuses a syntax error",
        body: "const;",
        errorType: "Runtime.UserCodeSyntaxError",
        message: /SyntaxError/,
      },
      {
        claim: "refuses a module without the handler",
        body: "exports.other = () => 1;",
        errorType: "Runtime.HandlerNotFound",
        message: /index\.handler is undefined/,
      },
      {
        claim: "refuses a handler that is no function",
        body: "exports.handler = 1;",
        errorType: "Runtime.HandlerNotFound",
        message: /index\.handler is not a function/,
      },
      {
        claim: "refuses a handler name without an export",
        body: "",
        handler: "index",
        errorType: "Runtime.MalformedHandlerName",
        message: /Bad handler/,
      },
      {
        claim: "refuses a handler with three parameters",
        body: "exports.handler = (event, context, callback) => callback(null, 1);",
        errorType: "Runtime.CallbackHandlerDeprecated",
        message: /takes 3 parameters, and at most two/,
      },
      {
        claim: "answers what the module threw",
        body: "throw new TypeError('no');",
        errorType: "TypeError",
        message: /no/,
      },
    ];
    for (const { claim, body, handler, errorType, message } of cases) {
      it(claim, async () => {
        const service = await serve(body, handler === undefined ? {} : { handler });

        const answer = await error(service.invoke("f", {}));

        expect(answer.errorType).to.equal(errorType);
        expect(answer.errorMessage).to.match(message);
      });
    }

    it("is tried again by the next invocation after it has failed", async () => {
      const folder = await mkdtemp(path.join(os.tmpdir(), "test-"));
      try {
        const flag = path.join(folder, "flag");
        const service = await serve(
          `if (!require("fs").existsSync(${JSON.stringify(flag)})) throw new Error("not yet"); exports.handler = async () => "loaded";`,
        );
        expect(await service.invoke("f", {})).to.deep.equal(failed("Error", "not yet"));

        await writeFile(flag, "");

        expect(await service.invoke("f", {})).to.deep.equal({ payload: "loaded" });
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it("says so when the Node that should run it cannot be started", async () => {
      const service = await serve("exports.handler = async () => 1;", { nodePath: "/nowhere/node" });

      expect((await error(service.invoke("f", {}))).errorMessage).to.contain("/nowhere/node ENOENT");
    });
  });
});
