import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { specialArchiveSig, specialAssetSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { expect } from "chai";
import { Iam } from "../../../local/iam";
import { type Credentials, roleArn, roleCredentials } from "../../../local/iam/roles";
import { AccessDeniedError, type Invocation } from "../../../local/lambda/invoker";
import { LambdaService, type LambdaServiceOptions } from "../../../local/lambda/lambdaService";
import type { FunctionConfiguration } from "../../../local/lambda/localFunction";
import { everything, registerRole } from "../iam/roles";

describe("the local Lambda service", () => {
  const services: LambdaService[] = [];
  const servers: net.Server[] = [];

  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.close()));
    for (const server of servers.splice(0)) server.close();
  });

  function start(options: Partial<LambdaServiceOptions> = {}): LambdaService {
    const iam = new Iam();
    registerRole(iam, "r", everything);
    const service = new LambdaService({ environment: () => ({}), log: () => undefined, iam, ...options });
    services.push(service);
    return service;
  }

  /** A service with one function, "f"; `body` is what its index.js holds. */
  async function serve(body: string, settings: Partial<FunctionConfiguration & LambdaServiceOptions> = {}) {
    const service = start(settings);
    await service.putFunction(lambdaFunction(body, settings));
    return service;
  }

  async function listen<T extends net.Server>(server: T): Promise<{ server: T; port: number }> {
    servers.push(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    return { server, port: (server.address() as AddressInfo).port };
  }

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

    it("answers an error that nobody caught, and goes on in a fresh process", async () => {
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

    it("answers an exception that nobody caught, even one that is no Error", async () => {
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
      const rejection = await rejectionOf(start().invoke("absent", {}));

      expect(rejection.name).to.equal("ResourceNotFoundException");
      expect(rejection.message).to.contain("absent");
    });
  });

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

  describe("an execution environment", () => {
    it("sees its own variables, Lambda's, and those of the local parts, and nothing of this process's", async () => {
      process.env["LAMBDA_TEST_LEAK"] = "leaked";
      try {
        const service = await serve("exports.handler = async () => ({ env: process.env, cwd: process.cwd() });", {
          variables: { TABLE: "t" },
          environment: () => ({ AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1" }),
          loggingConfig: { logFormat: "JSON" },
        });

        const { env, cwd } = await payload(service.invoke("f", {}));

        expect(env).to.deep.equal({
          TABLE: "t",
          AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1",
          _HANDLER: "index.handler",
          ...variablesOf(roleCredentials(roleArn("r"), "f")),
          AWS_REGION: "us-east-1",
          AWS_DEFAULT_REGION: "us-east-1",
          AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
          AWS_LAMBDA_FUNCTION_NAME: "f",
          AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
          AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
          AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/f",
          AWS_LAMBDA_LOG_STREAM_NAME: "local",
          AWS_LAMBDA_LOG_FORMAT: "JSON",
          AWS_LAMBDA_LOG_LEVEL: "INFO",
          LAMBDA_TASK_ROOT: cwd,
          TZ: ":UTC",
          PATH: process.env["PATH"],
          AWS_CONFIG_FILE: "/dev/null",
          AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        });
      } finally {
        delete process.env["LAMBDA_TEST_LEAK"];
      }
    });

    it("has a folder with the archive's files and nothing else", async () => {
      const folder = await mkdtemp(path.join(os.tmpdir(), "test-"));
      try {
        await writeFile(path.join(folder, "source"), "from a file");
        const service = start();
        await service.putFunction({
          ...lambdaFunction(""),
          code: new pulumi.asset.AssetArchive({
            "index.js": new pulumi.asset.StringAsset(listing),
            "deep/data.txt": new pulumi.asset.FileAsset(path.join(folder, "source")),
          }),
        });

        expect(await payload(service.invoke("f", {}))).to.deep.equal({
          files: ["deep", "deep/data.txt", "index.js"],
          data: "from a file",
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it("takes the archive as the engine sends it", async () => {
      const folder = await mkdtemp(path.join(os.tmpdir(), "test-"));
      try {
        await writeFile(path.join(folder, "source"), "from a file");
        const service = start();
        const asset = { [specialSigKey]: specialAssetSig, hash: "00" };
        await service.putFunction({
          ...lambdaFunction(""),
          code: {
            [specialSigKey]: specialArchiveSig,
            assets: {
              "index.js": { ...asset, text: listing, path: "" },
              "deep/data.txt": { ...asset, text: "", path: path.join(folder, "source") },
            },
          },
        });

        expect((await payload(service.invoke("f", {}))).data).to.equal("from a file");
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    const unknownCode: { claim: string; code: unknown; message: RegExp }[] = [
      { claim: "a folder", code: new pulumi.asset.FileArchive("."), message: /FileArchive.* with path/ },
      {
        claim: "a remote archive",
        code: new pulumi.asset.RemoteArchive("https://x"),
        message: /RemoteArchive.* with uri/,
      },
      {
        claim: "a remote asset",
        code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.RemoteAsset("https://x") }),
        message: /"index\.js" must be .*RemoteAsset.* with uri/,
      },
      { claim: "no archive at all", code: "text", message: /AssetArchive.*got string/ },
      { claim: "absent code", code: undefined, message: /AssetArchive.*got undefined/ },
    ];
    for (const { claim, code, message } of unknownCode) {
      it(`refuses ${claim} as code, and names it`, async () => {
        const rejection = await rejectionOf(start().putFunction({ ...lambdaFunction(""), code }));

        expect(rejection.message).to.match(message);
      });
    }

    it("stays warm, and runs one invocation at a time", async () => {
      const service = await serve(
        `let running = 0, most = 0, count = 0;
         exports.handler = async () => {
           most = Math.max(most, ++running);
           await new Promise(setImmediate);
           running--;
           return { most, count: ++count };
         };`,
        { maxEnvironments: 1 },
      );

      const answers = await Promise.all([1, 2, 3].map(() => payload(service.invoke("f", {}))));

      expect(answers).to.deep.equal([1, 2, 3].map((count) => ({ most: 1, count })));
    });

    it("is one of at most maxEnvironments; further invocations wait in order", async () => {
      const arrivals = new EventEmitter();
      const waiting: http.ServerResponse[] = [];
      const { port } = await listen(
        http.createServer((_, response) => {
          waiting.push(response);
          arrivals.emit("arrival");
        }),
      );
      const service = await serve(callingBack(port), { maxEnvironments: 2 });
      const bothRun = untilCount(arrivals, "arrival", 2);
      const done: number[] = [];
      const invocations = [0, 1, 2, 3].map(async (n) => {
        await service.invoke("f", {});
        done.push(n);
      });
      await bothRun;
      expect(waiting).to.have.length(2);

      for (let released = 0; released < 4; released++) {
        const next = waiting[released] ?? (await once(arrivals, "arrival"), waiting[released]);
        next?.end();
        await Promise.race(invocations.filter((_, n) => !done.includes(n)));
      }

      expect(done.slice(0, 2).sort()).to.deep.equal([0, 1]);
      expect(done.slice(2)).to.deep.equal([2, 3]);
    });

    it("is retired by a change of the function: idle ones end, and the next invocation runs the new code", async () => {
      const { server, port } = await listen(net.createServer());
      const gone = connectionEnd(server);
      const service = await serve(
        `const socket = require("net").connect(${port}, "127.0.0.1");
         exports.handler = async () => { await new Promise((r) => socket.pending ? socket.once("connect", r) : r()); return process.cwd(); };`,
      );
      const folder = await payload(service.invoke("f", {}));

      await service.putFunction(
        lambdaFunction("exports.handler = async () => process.env.V;", { variables: { V: "2" } }),
      );

      await gone;
      expect(existsSync(folder)).to.equal(false);
      expect(await service.invoke("f", {})).to.deep.equal({ payload: "2" });
    });

    it("ends after its invocation when it is busy while the function changes", async () => {
      let release: () => void = () => undefined;
      const { server, port } = await listen(http.createServer((_, response) => (release = () => response.end())));
      const service = await serve(callingBack(port, "({ cwd: process.cwd() })"));
      const arrived = once(server, "request");
      const running = service.invoke("f", {});
      await arrived;

      await service.putFunction(lambdaFunction("exports.handler = async () => 'new';"));
      expect(await service.invoke("f", {})).to.deep.equal({ payload: "new" });
      release();

      const { cwd } = await payload(running);
      expect(existsSync(cwd)).to.equal(false);
    });

    it("ends, and removes its folder, when the process that started it is killed", async () => {
      const { server, port } = await listen(net.createServer());
      const connected = once(server, "connection");
      const parent = spawn(
        process.execPath,
        [
          "-r",
          "./transpile",
          "-e",
          `
        const { LambdaService } = require("./local/lambda/lambdaService");
        const pulumi = require("@pulumi/pulumi");
        const body = 'exports.handler = () => { require("net").connect(${port}, "127.0.0.1").write(process.cwd()); return new Promise(() => {}); }';
        const service = new LambdaService({ environment: () => ({}), log() {} });
        const code = new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(body) });
        service.putFunction({ name: "f", roleArn: "arn:aws:iam::000000000000:role/r", code, handler: "index.handler", runtime: "nodejs24.x", timeoutSeconds: 60, memorySizeMb: 128, variables: {} })
          .then(() => service.invoke("f", {}));
      `,
        ],
        { cwd: path.join(__dirname, "../../.."), stdio: "inherit" },
      );
      const [socket] = (await connected) as [net.Socket];
      const folder = String(((await once(socket, "data")) as [Buffer])[0]);
      const ended = closed(socket);
      expect(existsSync(folder)).to.equal(true);

      parent.kill("SIGKILL");

      await ended;
      expect(existsSync(folder)).to.equal(false);
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

  describe("logs", () => {
    it("prefixes each line with the function's name", async () => {
      const lines = logLines();
      const service = await serve(
        "exports.handler = async () => { process.stdout.write('out\\n'); process.stderr.write('err\\n'); };",
        { log: lines.log },
      );
      await service.invoke("f", {});

      expect(await lines.matching(/out/)).to.equal("f: out");
      expect(await lines.matching(/err/)).to.equal("f: err");
    });

    it("are JSON records under the JSON format, with one logged object as the message", async () => {
      const lines = logLines();
      const service = await serve(
        "exports.handler = async (_, c) => { console.warn({ a: 1 }); console.log('x', 2); return c.awsRequestId; };",
        { log: lines.log, loggingConfig: { logFormat: "JSON" } },
      );
      const requestId = await payload(service.invoke("f", {}));

      const record = JSON.parse((await lines.matching(/WARN/)).replace(/^f: /, ""));
      expect(record.timestamp).to.match(/^\d{4}-.*Z$/);
      expect(record).to.deep.include({ level: "WARN", requestId, message: { a: 1 } });
      expect(JSON.parse((await lines.matching(/INFO/)).replace(/^f: /, "")).message).to.equal("x 2");
    });

    it("hold an error's type, message and stack under the JSON format", async () => {
      const lines = logLines();
      const service = await serve("exports.handler = async () => { throw new RangeError('far'); };", {
        log: lines.log,
        loggingConfig: { logFormat: "JSON" },
      });
      await service.invoke("f", {});

      const record = JSON.parse((await lines.matching(/ERROR/)).replace(/^f: /, ""));
      expect(record.message).to.include({ errorType: "RangeError", errorMessage: "far" });
      expect(record.message.stackTrace[0]).to.equal("RangeError: far");
    });

    it("leave out what is below the application's log level", async () => {
      const lines = logLines();
      const service = await serve("exports.handler = async () => { console.info('low'); console.error('high'); };", {
        log: lines.log,
        loggingConfig: { logFormat: "JSON", applicationLogLevel: "ERROR" },
      });
      await service.invoke("f", {});
      await lines.matching(/high/);

      expect(lines.all.filter((line) => line.includes("low"))).to.deep.equal([]);
    });
  });

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

        expect(await rejectionOf(service.invoke("f", {}, caller))).to.be.instanceOf(AccessDeniedError);
      });
    }

    it("denies a caller without any permission, naming function, principal and source", async () => {
      const service = await serve("exports.handler = async () => 1;");

      const { message } = await rejectionOf(service.invoke("f", {}, caller));

      expect(message).to.contain("arn:aws:lambda:us-east-1:000000000000:function:f");
      expect(message).to.contain(caller.principal).and.to.contain(caller.sourceArn);
    });

    it("denies again once the permission is removed", async () => {
      const service = await serve("exports.handler = async () => 1;");
      service.addPermission("f", statement);
      service.removePermission("f", "s");

      expect(await rejectionOf(service.invoke("f", {}, caller))).to.be.instanceOf(AccessDeniedError);
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
      expect((await rejectionOf(service.invoke("f", {}))).name).to.equal("ResourceNotFoundException");
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
      const waiting = rejectionOf(service.invoke("f", {}));

      await service.close();

      expect(found.map(({ pid }) => isAlive(pid))).to.deep.equal([false, false, false]);
      expect(found.map(({ cwd }) => existsSync(cwd))).to.deep.equal([false, false, false]);
      for (const each of running) expect((await error(each)).errorType).to.equal("Runtime.ExitError");
      expect((await waiting).message).to.contain("closed");
    });

    it("makes later invocations and functions reject", async () => {
      const service = await serve("");
      await service.close();

      expect((await rejectionOf(service.invoke("f", {}))).message).to.contain("closed");
      expect((await rejectionOf(service.putFunction(lambdaFunction("")))).message).to.contain("closed");
    });
  });
});

const listing = `
  const fs = require("fs");
  exports.handler = async () => ({
    files: fs.readdirSync(".", { recursive: true }).sort(),
    data: fs.readFileSync("deep/data.txt", "utf8"),
  });`;

/** A handler that asks the server at `port`, and returns `result` when it has answered. */
function callingBack(port: number, result = "null"): string {
  return `exports.handler = () => new Promise((resolve) =>
    require("http").get("http://127.0.0.1:${port}", (response) => response.resume().on("end", () => resolve(${result}))));`;
}

function lambdaFunction(body: string, changes: Partial<FunctionConfiguration> = {}): FunctionConfiguration {
  return {
    name: "f",
    roleArn: roleArn("r"),
    code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(body) }),
    handler: "index.handler",
    runtime: "nodejs24.x",
    timeoutSeconds: 3,
    memorySizeMb: 128,
    variables: {},
    ...changes,
  };
}

function variablesOf({ accessKeyId, secretAccessKey, sessionToken }: Credentials) {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}

function failed(errorType: string, errorMessage: string): Invocation {
  return { functionError: "Unhandled", payload: { errorType, errorMessage } };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what the test's own handler returned
async function payload(invocation: Promise<Invocation>): Promise<any> {
  const result = await invocation;
  expect(result.functionError, JSON.stringify(result)).to.equal(undefined);
  return result.payload;
}

async function error(invocation: Promise<Invocation>): Promise<{ errorType: string; errorMessage: string }> {
  const result = await invocation;
  if (!result.functionError) {
    throw new Error(`expected a function error, got ${JSON.stringify(result)}`);
  }
  return result.payload;
}

async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  const result = await promise.catch((reason: unknown) => reason);
  expect(result).to.be.instanceOf(Error);
  return result as Error;
}

/** Resolves when the first connection to `server` has ended, as it does with the process that made it. */
async function connectionEnd(server: net.Server): Promise<void> {
  const [socket] = (await once(server, "connection")) as [net.Socket];
  await closed(socket);
}

async function closed(socket: net.Socket): Promise<void> {
  // A killed peer may reset the connection; "close" follows either way.
  socket.on("error", () => undefined).resume();
  await new Promise((resolve) => socket.once("close", resolve));
}

function untilCount(emitter: EventEmitter, event: string, count: number): Promise<void> {
  let left = count;
  return new Promise((resolve) => emitter.on(event, () => --left === 0 && resolve()));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function logLines() {
  const all: string[] = [];
  const emitter = new EventEmitter();
  return {
    all,
    log: (line: string) => {
      all.push(line);
      emitter.emit("line");
    },
    async matching(pattern: RegExp): Promise<string> {
      for (;;) {
        const found = all.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        await once(emitter, "line");
      }
    },
  };
}
