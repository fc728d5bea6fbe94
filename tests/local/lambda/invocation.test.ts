import http from "node:http";
import net from "node:net";
import { expect } from "chai";
import { connectionEnd, error, failed, lambdaFunction, listen, logLines, payload, serve, start } from "./lambdaFixture";
import { refusal } from "../../support/refusal";

describe("the local Lambda service", () => {
  describe("an invocation", () => {
    it("passes event and result as JSON, and answers null for an undefined result", async () => {
      const service = await serve("exports.handler = async (event) => event.nothing ? undefined : { got: event };");

      expect(await service.invoke("f", { a: [1, undefined] })).to.deep.equal({ payload: { got: { a: [1, null] } } });
      expect(await service.invoke("f", { nothing: true })).to.deep.equal({ payload: null });
    });

    it("has Lambda's context", async () => {
      const service = await serve(
        "exports.handler = async (_, c) => ({ ...c, isLeft: c.getRemainingTimeInMillis() > 0 && c.getRemainingTimeInMillis() <= 3000 });",
      );

      const { awsRequestId, ...context } = await payload(service.invoke("f", {}));

      expect(awsRequestId).to.match(/^[0-9a-f-]{36}$/);
      expect(context).to.deep.equal({
        functionName: "f",
        functionVersion: "$LATEST",
        invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
        memoryLimitInMB: "128",
        logGroupName: "/aws/lambda/f",
        logStreamName: "local",
        isLeft: true,
      });
    });

    it("takes a name, an ARN, and an ARN with a qualifier", async () => {
      const service = await serve("exports.handler = async () => 1;");
      const arn = "arn:aws:lambda:us-east-1:000000000000:function:f";

      for (const name of ["f", arn, `${arn}:$LATEST`]) {
        expect(await service.invoke(name, {})).to.deep.equal({ payload: 1 });
      }
    });

    it("answers what the handler threw", async () => {
      const service = await serve("exports.handler = async () => { throw new RangeError('too far'); };");

      expect(await service.invoke("f", {})).to.deep.equal(failed("RangeError", "too far"));
    });

    it("answers an uncaught error, and goes on in a fresh process", async () => {
      const service = await serve(`
        exports.handler = (event) => {
          if (!event.fail) return process.pid;
          Promise.reject(new Error("lost"));
          return new Promise(() => {});
        };`);
      const before = await payload(service.invoke("f", {}));

      const result = await service.invoke("f", { fail: true });

      expect(result).to.deep.equal(failed("Runtime.UnhandledPromiseRejection", "lost"));
      expect(await payload(service.invoke("f", {}))).not.to.equal(before);
    });

    it("answers an uncaught exception, even one that is no Error", async () => {
      const service = await serve(
        "exports.handler = () => { setImmediate(() => { throw 'text'; }); return new Promise(() => {}); };",
      );

      expect(await service.invoke("f", {})).to.deep.equal(failed("string", "text"));
    });

    it("answers Sandbox.Timedout at the function's timeout, with the process gone", async () => {
      const { server, port } = await listen(net.createServer());
      const gone = connectionEnd(server);
      const service = await serve(
        `exports.handler = () => { require("net").connect(${port}, "127.0.0.1"); return new Promise(() => {}); };`,
        { timeoutSeconds: 1 },
      );

      const { errorType, errorMessage } = await error(service.invoke("f", {}));

      expect(errorType).to.equal("Sandbox.Timedout");
      expect(errorMessage).to.match(/Task timed out after 1\.00 seconds$/);
      await gone;
    });

    it("answers Sandbox.Timedout for a handler that blocks its thread", async () => {
      const service = await serve("exports.handler = () => { for (;;); };", { timeoutSeconds: 1 });

      expect((await error(service.invoke("f", {}))).errorType).to.equal("Sandbox.Timedout");
    });

    it("answers Runtime.ExitError when the process dies in the middle", async () => {
      const service = await serve("exports.handler = async (event) => event.exit ? process.exit(3) : 'fine';");

      const { errorType, errorMessage } = await error(service.invoke("f", { exit: true }));

      expect(errorType).to.equal("Runtime.ExitError");
      expect(errorMessage).to.match(/exit status 3$/);
      expect(await service.invoke("f", {})).to.deep.equal({ payload: "fine" });
    });

    it("rejects for an unknown function, and names it", async () => {
      const rejection = await refusal(start().invoke("absent", {}));

      expect(rejection.name).to.equal("ResourceNotFoundException");
      expect(rejection.message).to.contain("absent");
    });
  });

  describe("crashNext", () => {
    it("kills the process when the handler has its first answer, that many times", async () => {
      let requests = 0;
      const { port } = await listen(
        http.createServer((_, response) => {
          requests++;
          response.end();
        }),
      );
      const service = await serve(
        `const get = () => new Promise((resolve) => require("http").get("http://127.0.0.1:${port}", (r) => r.resume().on("end", resolve)));
         exports.handler = async () => { await get(); await get(); return "done"; };`,
      );
      service.crashNext("f", 2);

      for (const expected of [1, 2]) {
        const { errorType, errorMessage } = await error(service.invoke("f", {}));
        expect([errorType, requests]).to.deep.equal(["Runtime.ExitError", expected]);
        expect(errorMessage).to.match(/signal: SIGKILL$/);
      }
      expect(await service.invoke("f", {})).to.deep.equal({ payload: "done" });
      expect(requests).to.equal(4);
    });

    it("kills a handler that asks for nothing when it is about to return", async () => {
      const lines = logLines();
      const service = await serve("exports.handler = async () => console.log('worked');", { log: lines.log });
      service.crashNext("f");

      expect((await error(service.invoke("f", {}))).errorType).to.equal("Runtime.ExitError");
      expect(await lines.matching(/worked/)).to.match(/worked$/);
    });

    it("matches the beginning of a name, and leaves other functions alone", async () => {
      const service = await serve("exports.handler = async () => 1;", { name: "relay-deliver-0123456" });
      await service.putFunction(lambdaFunction("exports.handler = async () => 2;", { name: "relay-connect-0123456" }));
      service.crashNext("relay-deliver", 1);

      expect(await service.invoke("relay-connect-0123456", {})).to.deep.equal({ payload: 2 });
      expect((await error(service.invoke("relay-deliver-0123456", {}))).errorType).to.equal("Runtime.ExitError");
    });

    it("refuses a name that no function's name begins with", () => {
      expect(() => start().crashNext("absent", 1)).to.throw("absent");
    });
  });
});
