import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { specialArchiveSig, specialAssetSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { expect } from "chai";
import { type Credentials, roleArn, roleCredentials } from "../../../local/iam/roles";
import {
  callingBack,
  closed,
  connectionEnd,
  lambdaFunction,
  listen,
  payload,
  serve,
  start,
  untilCount,
} from "./lambdaFixture";
import { refusal } from "../../support/refusal";

describe("the local Lambda service", () => {
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
        const rejection = await refusal(start().putFunction({ ...lambdaFunction(""), code }));

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

      // One at a time: two environments that are freed together may call back in either order.
      for (let released = 0; released < 4; released++) {
        const nextArrival = released < 2 ? once(arrivals, "arrival") : undefined;
        waiting[released]?.end();
        await Promise.race(invocations.filter((_, n) => !done.includes(n)));
        await nextArrival;
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
});

const listing = `
  const fs = require("fs");
  exports.handler = async () => ({
    files: fs.readdirSync(".", { recursive: true }).sort(),
    data: fs.readFileSync("deep/data.txt", "utf8"),
  });`;

function variablesOf({ accessKeyId, secretAccessKey, sessionToken }: Credentials) {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}
