import { existsSync } from "node:fs";
import { EventEmitter, once } from "node:events";
import http from "node:http";
import { expect } from "chai";
import { type Invocation } from "../../../local/lambda/invoker";
import { error, isAlive, lambdaFunction, listen, payload, serve } from "./lambdaFixture";
import { refusal } from "../../support/refusal";

describe("the local Lambda service", () => {
  it("knows a function's timeout", async () => {
    const service = await serve("", { timeoutSeconds: 17 });

    expect(service.functionTimeoutSeconds("arn:aws:lambda:us-east-1:000000000000:function:f")).to.equal(17);
  });

  describe("deleting a function", () => {
    it("ends its processes, removes its folder and makes it unknown", async () => {
      const service = await serve("exports.handler = async () => ({ pid: process.pid, cwd: process.cwd() });");
      const { pid, cwd } = await payload(service.invoke("f", {}));

      await service.deleteFunction("f");

      expect(isAlive(pid)).to.equal(false);
      expect(existsSync(cwd)).to.equal(false);
      expect((await refusal(service.invoke("f", {}))).name).to.equal("ResourceNotFoundException");
    });
  });

  describe("closing", () => {
    it("leaves no process and no folder behind, be they idle, busy or retired", async () => {
      const requests = new EventEmitter();
      const { port } = await listen(http.createServer((request) => requests.emit("request", request.url)));
      const handler = (version: number) =>
        `exports.handler = async (event) => {
           if (event.idle) return { pid: process.pid, cwd: process.cwd() };
           require("http").get("http://127.0.0.1:${port}/?" + new URLSearchParams({ version: ${version}, pid: process.pid, cwd: process.cwd() }));
           return new Promise(() => {});
         };`;
      const service = await serve(handler(1), { maxEnvironments: 1, timeoutSeconds: 60 });
      const found: { pid: number; cwd: string }[] = [];
      const running: Promise<Invocation>[] = [];
      for (const version of [1, 2]) {
        await service.putFunction(lambdaFunction(handler(version), { timeoutSeconds: 60 }));
        const arrived = once(requests, "request");
        running.push(service.invoke("f", {}));
        const query = new URLSearchParams(((await arrived) as [string])[0].slice(2));
        found.push({ pid: Number(query.get("pid")), cwd: String(query.get("cwd")) });
      }
      await service.putFunction(lambdaFunction(handler(3), { name: "g" }));
      found.push(await payload(service.invoke("g", { idle: true })));
      const waiting = refusal(service.invoke("f", {}));

      await service.close();

      expect(found.map(({ pid }) => isAlive(pid))).to.deep.equal([false, false, false]);
      expect(found.map(({ cwd }) => existsSync(cwd))).to.deep.equal([false, false, false]);
      for (const each of running) expect((await error(each)).errorType).to.equal("Runtime.ExitError");
      expect((await waiting).message).to.contain("closed");
    });

    it("makes later invocations and functions reject", async () => {
      const service = await serve("");
      await service.close();

      expect((await refusal(service.invoke("f", {}))).message).to.contain("closed");
      expect((await refusal(service.putFunction(lambdaFunction("")))).message).to.contain("closed");
    });
  });
});
