import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { asset } from "@pulumi/pulumi";
import { expect } from "chai";
import { WebsocketRelay } from "../../components";
import { bundle } from "../../components/bundle";
import { refusal } from "../refusal";
import { record } from "../components/recorder";
import { connectEvent, sqsRecord } from "../handlers/events";

const repository = resolve(__dirname, "../..");
const auth = { oidc: { issuer: "https://issuer.relay.dev", audience: "relay-audience" } };

interface Deployed {
  name: string;
  files: Record<string, string>;
  variables: Record<string, string>;
}

/** What is uploaded: the archive of each registered function, and its environment. */
async function deployed(): Promise<Deployed[]> {
  const { registrations, errors } = await record(() => new WebsocketRelay("relay", { auth }));
  expect(errors).to.deep.equal([]);
  return registrations
    .filter(({ type }) => type === "aws:lambda/function:Function")
    .map(({ name, inputs }) => {
      const { assets } = inputs.code as { assets: Promise<Record<string, asset.StringAsset>> };
      const { variables } = inputs.environment as { variables: Record<string, string> };
      return Promise.resolve(assets).then(async (all) => ({
        name,
        variables,
        files: Object.fromEntries(
          await Promise.all(Object.entries(all).map(async ([file, { text }]) => [file, await text] as const)),
        ),
      }));
    })
    .reduce(async (all, one) => [...(await all), await one], Promise.resolve<Deployed[]>([]));
}

describe("a function's archive", () => {
  let functions: Deployed[];
  let folder: string;

  before(async () => {
    functions = await deployed();
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
    ]);
  });

  it("holds no value of the stack's config, and no path of the machine that made it", () => {
    for (const { name, files } of functions) {
      const text = files["index.js"] ?? "";
      expect(text.length, name).to.be.greaterThan(1_000);
      for (const value of [auth.oidc.issuer, auth.oidc.audience, repository, `${homedir()}/`, "ts-node"]) {
        expect(text.includes(value), `${value} in ${name}`).to.equal(false);
      }
    }
  });

  it("is the same from run to run", async () => {
    const again = await deployed();
    for (const { name, files } of functions) {
      expect(again.find((each) => each.name === name)?.files["index.js"] === files["index.js"], name).to.equal(true);
    }
  });

  it("refuses a handshake, out of an empty folder", async () => {
    expect(await call("relay-connect", connectEvent({ query: null }))).to.include({ statusCode: 400 });
    expect(await call("relay-connect", connectEvent({}))).to.include({ statusCode: 401 });
    expect(
      await call("relay-connect", connectEvent({ headers: { authorization: "Bearer x.y.z" } })),
      "error classes of the library are told apart",
    ).to.include({ statusCode: 401 });
  });

  it("answers 500 when the table cannot be reached, out of an empty folder", async () => {
    expect(await call("relay-disconnect", connectEvent({}))).to.include({ statusCode: 500 });
  });

  it("reports a message as failed when nothing can be reached, out of an empty folder", async () => {
    const record = sqsRecord();
    expect(await call("relay-deliver", { Records: [record] })).to.deep.equal({
      batchItemFailures: [{ itemIdentifier: record.messageId }],
    });
  });
});

describe("bundle", () => {
  it("captures what an inline callback needs by value", async () => {
    const greeting = "hello";
    const text = await bundle(() => async (event: { name: string }) => Promise.resolve(`${greeting} ${event.name}`));
    const module = { exports: {} as { handler?: (event: { name: string }) => Promise<string> } };
    new Function("module", "exports", "require", text)(module, module.exports, require);
    expect(await module.exports.handler?.({ name: "42" })).to.equal("hello 42");
  });

  it("rejects a callback that captures what cannot be serialized", async () => {
    const native = Buffer.from("x").toString.bind(Buffer.from("x"));
    const error = await refusal(bundle(() => native));
    expect(error.message).to.match(/native code/);
  });

  it("rejects a callback that requires a module which is not there", async () => {
    const error = await refusal(bundle(() => require("../handlers/nothing") as unknown));
    expect(error.message).to.include("../handlers/nothing");
  });

  it("rejects a dynamic import, which would not be bundled", async () => {
    const error = await refusal(bundle(() => async () => (await import("cookie")).parse("a=b")));
    expect(error.message).to.include("cookie");
  });
});
