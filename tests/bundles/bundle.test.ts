import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { build } from "esbuild";
import { bundle, bundleCallback } from "../../components/lambda/bundle";
import { ownCallbacks } from "../../components/functions/ownCallbacks";
import { buildsOf, bundleModule } from "../../components/lambda/ownBundle";
import { serializeCallback } from "../../components/lambda/serialize";
import { connectEvent, sqsRecord } from "../support/events";
import { refusal } from "../support/refusal";
import { type Deployed, deployedFunctions, oidc } from "./deployed";

const repository = resolve(__dirname, "../..");

describe("a function's archive", () => {
  let functions: Deployed[];
  let folder: string;

  before(async () => {
    functions = await deployedFunctions();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bundle-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const find = (name: string): Deployed => {
    const found = functions.find((each) => each.name === name);
    if (!found) throw new Error(`${name} is not among ${functions.map((each) => each.name).join(", ")}`);
    return found;
  };

  /** Unpacks into an empty folder and calls the handler there, as Lambda does. */
  const call = async (name: string, event: object): Promise<unknown> => {
    const { files, variables } = find(name);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    const script = `
      const { handler } = require(${JSON.stringify(join(folder, "index.js"))});
      const context = { getRemainingTimeInMillis: () => 30_000 };
      Promise.resolve(handler(${JSON.stringify(event)}, context))
        .then((answer) => process.stdout.write(JSON.stringify({ length: handler.length, answer })));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], {
      cwd: folder,
      // Nothing listens on port 1: whatever reaches out is refused at once.
      env: {
        ...variables,
        PATH: process.env.PATH,
        AWS_REGION: "eu-west-1",
        AWS_ACCESS_KEY_ID: "x",
        AWS_SECRET_ACCESS_KEY: "x",
        AWS_ENDPOINT_URL: "http://127.0.0.1:1",
      },
    });
    const json = stdout.slice(stdout.lastIndexOf('{"length"'));
    const { length, answer } = JSON.parse(json) as { length: number; answer: unknown };
    expect(length, "Node 24 refuses handlers with three or more parameters").to.be.at.most(2);
    return answer;
  };

  it("is one file, of every function", () => {
    expect(functions.map(({ name, files }) => [name, Object.keys(files)])).to.have.deep.members([
      ["relay-connect", ["index.js"]],
      ["relay-disconnect", ["index.js"]],
      ["relay-deliver", ["index.js"]],
      ["relay-sweep", ["index.js"]],
      ...["replay", "receipts"].flatMap((relay) =>
        ["connect", "disconnect", "deliver", "resume", "acknowledge", "expire", "sweep"].map((part) => [
          `${relay}-${part}`,
          ["index.js"],
        ]),
      ),
    ]);
  });

  it("holds no value of the stack's config, and no path of the machine that made it", () => {
    for (const { name, files } of functions) {
      const text = files["index.js"] ?? "";
      expect(text.length, name).to.be.greaterThan(1_000);
      for (const value of [oidc.issuer, oidc.audience, repository, `${homedir()}/`, "ts-node"]) {
        expect(text.includes(value), `${value} in ${name}`).to.equal(false);
      }
    }
  });

  it("is the same from run to run", async () => {
    const again = await deployedFunctions();
    for (const { name, files } of functions) {
      expect(again.find((each) => each.name === name)?.files["index.js"] === files["index.js"], name).to.equal(true);
    }
    // One process bundles a module once: here anew.
    const module = "../../handlers/deliver/deliver";
    const [first, second] = [
      await bundleModule({ module, withReceipts: false }),
      await bundleModule({ module, withReceipts: false }),
    ];
    expect(first === second).to.equal(true);
  });

  it("is at most 90 kB zipped, with receipts too", () => {
    expect(functions).to.have.length(4 + 2 * 7);
    for (const { name, files } of functions) {
      // The zip archive's own records are some 100 bytes.
      const zippedBytes = deflateRawSync(files["index.js"] ?? "", { level: 9 }).length + 150;
      expect(zippedBytes, name).to.be.within(10_000, 90_000);
    }
  });

  it("is the same however messages are delivered, where that makes no difference, and another where it does", () => {
    const parts = ["disconnect", "sweep", "connect", "deliver", "resume", "acknowledge", "expire"];
    const text = (relay: string, part: string) => find(`${relay}-${part}`).files["index.js"];
    const same = (one: string, other: string, among: string[]) =>
      among.filter((part) => text(one, part) === text(other, part));
    expect(same("relay", "replay", parts.slice(0, 4))).to.deep.equal(["disconnect", "sweep"]);
    expect(same("replay", "receipts", parts)).to.deep.equal(["disconnect", "sweep", "connect"]);
  });

  it("refuses a handshake, out of an empty folder", async () => {
    expect(await call("relay-connect", connectEvent({ query: null }))).to.include({ statusCode: 400 });
    expect(await call("relay-connect", connectEvent({}))).to.include({ statusCode: 401 });
    expect(
      await call("relay-connect", connectEvent({ headers: { authorization: "Bearer x.y.z" } })),
      "error classes of the library are told apart",
    ).to.include({ statusCode: 401 });
  });

  it("refuses a handshake that does not ask for what is spoken, where messages are replayed", async () => {
    expect(await call("replay-connect", connectEvent({}))).to.include({ statusCode: 400 });
    const headers = { "sec-websocket-protocol": "websocket-relay.v1" };
    expect(await call("replay-connect", connectEvent({ headers }))).to.include({ statusCode: 401 });
  });

  it("answers 500 when the table cannot be reached, out of an empty folder", async () => {
    expect(await call("relay-disconnect", connectEvent({}))).to.include({ statusCode: 500 });
  });

  it("reports a message as failed when nothing can be reached, out of an empty folder", async () => {
    const record = sqsRecord();
    for (const name of ["relay-deliver", "replay-deliver", "receipts-deliver"]) {
      expect(await call(name, { Records: [record] }), name).to.deep.equal({
        batchItemFailures: [{ itemIdentifier: record.messageId }],
      });
    }
  });

  it("answers a frame with 500 when nothing can be reached, out of an empty folder", async () => {
    const requestContext = { connectionId: "c", requestId: "r", connectedAt: 1 };
    const cursor = { epoch: "e", seq: 1 };
    for (const [name, action] of [
      ["resume", "resume"],
      ["acknowledge", "ack"],
    ] as const) {
      const body = JSON.stringify({ action, cursor });
      expect(await call(`receipts-${name}`, { requestContext, body }), name).to.include({ statusCode: 500 });
    }
  });
});

describe("a callback of the component's own", () => {
  it("requires the module that it declares and nothing else, so that it is bundled with all of its code", async () => {
    for (const { module, factory } of ownCallbacks) {
      const text = await serializeCallback(factory, true);
      const reached = [...text.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, path]) => path);
      expect(reached).to.deep.equal([module]);
    }
  });

  it("is among those whose builds the package carries, for every function of a relay", async () => {
    const builds = await Promise.all(ownCallbacks.flatMap(buildsOf).map(bundleModule));
    expect(builds).to.have.length(13);
    const texts = (await deployedFunctions()).map(({ files }) => files["index.js"] ?? "");
    expect(new Set(texts).size).to.equal(builds.length);
  });

  it("has a client of the receipts' topic only in a build with receipts", async () => {
    for (const each of ownCallbacks.flatMap(buildsOf)) {
      expect((await bundleModule(each)).includes("PublishBatch"), JSON.stringify(each)).to.equal(each.withReceipts);
    }
  });
});

describe("a callback", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "callback-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Writes `text` to a file of the folder. */
  const write = (file: string, text: string | object): string => {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof text === "string" ? text : JSON.stringify(text));
    return path;
  };

  it("captures what it needs by value", async () => {
    const greeting = "hello";
    const text = await bundle(() => async (event: { name: string }) => Promise.resolve(`${greeting} ${event.name}`));
    expect(await handlerOf(text)({ name: "42" })).to.equal("hello 42");
  });

  it("is itself the handler where it is no factory", async () => {
    const text = await bundleCallback(async (event: { name: string }) => Promise.resolve(`hello ${event.name}`));
    expect(await handlerOf(text)({ name: "42" })).to.equal("hello 42");
  });

  it("gets files, TypeScript too, and packages from the folder that it names", async () => {
    write(
      "users.ts",
      "export class Users { #all = new Map([['7', 'Ada']]); find(id: string) { return this.#all.get(id) } }",
    );
    write("node_modules/greet/index.js", "module.exports = (name) => `hello ${name}`;");
    write("tsconfig.json", { compilerOptions: { strict: true, target: "es2015" } });
    const callback = async (event: { id: string }) => {
      const { Users } = require("./users") as { Users: new () => { find(id: string): string } };
      const greet = require("greet") as (name: string) => string;
      return Promise.resolve(greet(new Users().find(event.id)));
    };

    expect(await handlerOf(await bundleCallback(callback, folder))({ id: "7" })).to.equal("hello Ada");
    const error = await refusal(bundleCallback(callback));
    expect(error.message).to.include(`from ${process.cwd()} (requireFrom)`).and.include('Could not resolve "./users"');
  });

  it("gets what Node's require would load, of a package that has a build for bundlers too", async () => {
    const build = { main: "./node.js", module: "./bundler.js" };
    write("node_modules/double/package.json", { ...build, exports: { module: build.module, default: build.main } });
    write("node_modules/double/node.js", "module.exports = () => 'node';");
    write("node_modules/double/bundler.js", "export default () => 'bundler';");
    const callback = () => (require("double") as () => string)();

    expect(await handlerOf(await bundleCallback(callback, folder))({})).to.equal("node");
  });

  it("may require or import a package that has nothing but ES modules", async () => {
    write("node_modules/modern/package.json", { type: "module", exports: { import: "./index.js" } });
    write("node_modules/modern/index.js", "export const name = 'modern';");
    const required = () => (require("modern") as { name: string }).name;
    const imported = async () => ((await import("modern" as string)) as { name: string }).name;

    expect(await handlerOf(await bundleCallback(required, folder))({})).to.equal("modern");
    expect(await handlerOf(await bundleCallback(imported, folder))({})).to.equal("modern");
  });

  it("may capture a package's module, though Pulumi writes it as a file that the package does not export", async () => {
    write("node_modules/narrow/package.json", { exports: { ".": "./lib/index.js" } });
    const narrow = require(write("node_modules/narrow/lib/index.js", "exports.name = 'narrow';")) as { name: string };

    expect(await handlerOf(await bundleCallback(() => narrow.name, folder))({})).to.equal("narrow");
  });

  it("is refused with what to do where Pulumi cannot write a module that it captures", async () => {
    // A file of a package that this repository has, and that exports nothing but its main file.
    const file = join(repository, "node_modules/p-limit/package.json");
    const captured = require(file) as { name: string };

    const error = await refusal(bundleCallback(() => captured.name));
    expect(error.message).to.include("p-limit/package.json, which Pulumi does not find among its package's exports");
    expect(error.message).to.include("require the package inside the callback");
  });

  it("leaves out what a package requires only if it is there", async () => {
    write("node_modules/optional/index.js", "try { require('faster') } catch { module.exports = 'slow' }");

    expect(await handlerOf(await bundleCallback(() => require("optional") as string, folder))({})).to.equal("slow");
  });

  it("is refused where it captures what cannot be serialized", async () => {
    const native = new Intl.NumberFormat("en").format;
    const error = await refusal(bundle(() => native));
    expect(error.message).to.match(/variable 'native'|'native', a function/);
  });

  it("is refused where it captures a secret output", async () => {
    const secret = pulumi.secret("key");
    const error = await refusal(bundleCallback(() => secret.get()));
    expect(error.message).to.include("Secret outputs cannot be captured");
  });

  it("is refused where it requires a module which is not there", async () => {
    const error = await refusal(bundle(() => require("nothing") as unknown));
    expect(error.message).to.include('Could not resolve "nothing"');
  });
});

/** The handler of a bundle that needs nothing but Node. */
function handlerOf(text: string): (event: object) => unknown {
  const module = { exports: {} as { handler?: (event: object) => unknown } };
  const requireBuiltin = (id: string): unknown => {
    if (!isBuiltin(id)) throw new Error(`the bundle requires ${id}`);
    return require(id);
  };
  new Function("module", "exports", "require", text)(module, module.exports, requireBuiltin);
  if (!module.exports.handler) throw new Error("the bundle exports no handler");
  return module.exports.handler;
}

describe("bundling", () => {
  it("lets a program go on with what it builds itself, by the same esbuild", async () => {
    let bundled!: () => void;
    const whileBundling = new Promise<void>((resolve) => (bundled = resolve));
    const own = build({
      stdin: { contents: 'require("own")' },
      bundle: true,
      write: false,
      plugins: [
        {
          name: "slow",
          setup(building) {
            building.onResolve({ filter: /^own$/ }, async () => {
              await whileBundling;
              return { path: "own", external: true };
            });
          },
        },
      ],
    });

    await bundle(() => () => 1);
    bundled();

    expect((await own).outputFiles.map(({ text }) => text).join()).to.include("own");
  });
});
