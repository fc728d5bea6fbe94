import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";
import { expect } from "chai";
import { build } from "esbuild";
import { disconnectCallback } from "../../components/functions/disconnect";
import { ownCallbacks } from "../../components/functions/ownCallbacks";
import { buildsOf, bundleModule, bundleOwn } from "../../components/functions/ownBundle";
import { bundle } from "../../components/lambda/bundle";
import { serializeCallback } from "../../components/lambda/serialize";
import { connectEvent, sqsRecord } from "../support/events";
import { refusal } from "../support/refusal";
import { type Deployed, deployedFunctions, oidc } from "./deployed";
import { repository } from "../support/repository";

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
        ["connect", "disconnect", "deliver", "resume", "acknowledge", "flush", "expire", "sweep"].map((part) => [
          `${relay}-${part}`,
          ["index.js"],
        ]),
      ),
      ["replay-read", ["index.js"]],
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
    expect(functions).to.have.length(4 + 2 * 8 + 1);
    for (const { name, files } of functions) {
      // The zip archive's own records are some 100 bytes.
      const zippedBytes = deflateRawSync(files["index.js"] ?? "", { level: 9 }).length + 150;
      expect(zippedBytes, name).to.be.within(10_000, 90_000);
    }
  });

  it("is the same however messages are delivered, where that makes no difference, and another where it does", () => {
    const parts = ["disconnect", "sweep", "connect", "deliver", "resume", "acknowledge", "flush", "expire"];
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
    const offer = (subprotocol: string) =>
      call("replay-connect", connectEvent({ headers: { "sec-websocket-protocol": subprotocol } }));
    expect(await offer("graphql-transport-ws")).to.include({ statusCode: 400 });
    expect(await offer("websocket-relay.v1")).to.include({ statusCode: 401 });
    expect(await call("replay-connect", connectEvent({})), "a raw client").to.include({ statusCode: 401 });
  });

  it("refuses a read over HTTP, out of an empty folder", async () => {
    const http = { method: "GET", sourceIp: "127.0.0.1" };
    const event = { rawQueryString: "context=chat&contextId=7", headers: {}, requestContext: { http, requestId: "r" } };
    expect(await call("replay-read", event)).to.include({ statusCode: 401 });
    expect(await call("replay-read", { ...event, rawQueryString: "" })).to.include({ statusCode: 400 });
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

describe("a callback of the component's own", () => {
  const builds = ownCallbacks.flatMap(buildsOf);
  let texts: string[];

  before(async () => {
    texts = await Promise.all(builds.map(bundleModule));
  });

  it("requires the module that it declares and nothing else, so that it is bundled with all of its code", async () => {
    for (const { module, factory } of ownCallbacks) {
      const text = await serializeCallback(factory, true);
      const reached = [...text.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, path]) => path);
      expect(reached).to.deep.equal([module]);
    }
  });

  it("is refused if its factory requires another module than it declares, which would be missing in the archive", async () => {
    const { factory } = disconnectCallback;
    const module = "../../handlers/connect/connect";
    expect((await refusal(bundleOwn({ module, factory }, false))).message).to.equal(
      'a callback declares the module "../../handlers/connect/connect", but its factory requires ' +
        '"../../handlers/disconnect/disconnect". Fix: name the same module in both',
    );
  });

  it("is among those whose builds the package carries, for every function of a relay", async () => {
    expect(builds).to.have.length(16);
    const deployed = (await deployedFunctions()).map(({ files }) => files["index.js"] ?? "");
    expect(new Set(deployed).size).to.equal(builds.length);
  });

  it("has a client of the receipts' topic only in a build with receipts", () => {
    for (const [index, each] of builds.entries()) {
      expect(texts[index]?.includes("PublishBatch"), JSON.stringify(each)).to.equal(each.withReceipts);
    }
  });

  for (const [name, part] of [
    ["adaptive retries", "getSendToken"],
    ["the events of streams", "formatHeaderValue"],
    ["errors of its own classes", "QueueDeletedRecently"],
    ["commands that are not sent", "ListMessageMoveTasksResult"],
    ["the names of regions", "Hyderabad"],
    ["a store of invocations besides the runtime's", "AWS_LAMBDA_MAX_CONCURRENCY"],
  ] as const) {
    it(`has no code of the SDK for ${name}`, () => {
      for (const [index, each] of builds.entries()) {
        expect(texts[index]?.includes(part), JSON.stringify(each)).to.equal(false);
      }
    });
  }
});
