import { execFile } from "node:child_process";
import { createPrivateKey, type JsonWebKey } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { build, stop } from "esbuild";
import { SignJWT } from "jose";
import { ownCallbacks } from "../../components/functions/ownCallbacks";
import { buildsOf, builtFile, bundleModule } from "../../components/functions/ownBundle";
import { deployedFunctions } from "../bundles/deployed";
import { connectEvent } from "../support/events";
import { Consumer, functionIn, hashesOf, type Program } from "./consumer";

describe("the packed package, in another team's program", function () {
  this.timeout(300_000);

  let consumer: Consumer;
  let program: Program;

  before(async () => {
    consumer = await Consumer.install();
    program = await consumer.runProgram();
  });
  after(() => consumer?.remove());

  const functionOf = (name: string, of = program) => functionIn(of, name);

  const functionNames = () =>
    program.registrations.filter(({ type }) => type === "aws:lambda/function:Function").map(({ name }) => name);

  /** Calls a handler out of a folder that holds nothing but its archive, in a process that has nothing but its environment. */
  const call = async (name: string, event: object, file = "index.js"): Promise<unknown> => {
    const { code, environment } = functionOf(name);
    const folder = join(consumer.folder, "..", "functions", name);
    mkdirSync(folder, { recursive: true });
    for (const [each, text] of Object.entries(code)) writeFileSync(join(folder, each), text);
    const script = `
      const { handler } = require(${JSON.stringify(join(folder, file))});
      Promise.resolve(handler(${JSON.stringify(event)}, { getRemainingTimeInMillis: () => 30_000 }))
        .then((answer) => process.stdout.write("answer:" + JSON.stringify(answer)));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], {
      cwd: folder,
      env: {
        ...environment.variables,
        ...{ AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x", LAMBDA_TASK_ROOT: folder },
        // Nothing listens on port 1: the table is refused at once.
        AWS_ENDPOINT_URL: "http://127.0.0.1:1",
      },
    });
    return JSON.parse(stdout.slice(stdout.indexOf("answer:") + "answer:".length)) as unknown;
  };

  it("registers nothing when it is imported", async () => {
    const imported = join(consumer.folder, "imported.js");
    writeFileSync(imported, 'module.exports = { names: Object.keys(require("pulumi-websocket-relay")) };');

    const stdout = await consumer.node(["runUnderMocks.js", imported]);

    const { registrations, exported } = JSON.parse(stdout) as Program;
    expect(registrations).to.deep.equal([]);
    expect(exported.names).to.include("WebsocketRelay");
  });

  it("ships the same functions as this repository", async () => {
    const relays: Record<string, string> = { relay: "chat", receipts: "feed" };
    for (const { name, files } of await deployedFunctions()) {
      const [relay = "", part = ""] = name.split("-");
      const other = relays[relay];
      if (other) expect(hashesOf(functionOf(`${other}-${part}`).code), name).to.deep.equal(hashesOf(files));
    }
    const others = ["connect", "disconnect", "deliver"].map((lambda) => [`news-${lambda}`, `chat-${lambda}`] as const);
    for (const [news, chat] of others) {
      expect(hashesOf(functionOf(news).code), news).to.include(hashesOf(functionOf(chat).code));
    }
  });

  it("carries one bundle for each function and variant, as this repository builds it", async () => {
    const handlers = join(consumer.folder, "node_modules/pulumi-websocket-relay/dist/handlers");
    const files = (readdirSync(handlers, { recursive: true }) as string[]).filter((file) =>
      file.endsWith(".bundle.js"),
    );
    expect(files).to.have.members([
      "connect/connect.bundle.js",
      "connect/connectReplay.bundle.js",
      "disconnect/disconnect.bundle.js",
      "deliver/deliver.bundle.js",
      "deliver/deliverReplay.bundle.js",
      "deliver/deliverReplay.receipts.bundle.js",
      "frames/acknowledge.bundle.js",
      "frames/acknowledge.receipts.bundle.js",
      "frames/resume.bundle.js",
      "frames/resume.receipts.bundle.js",
      "raw/flush.bundle.js",
      "raw/flush.receipts.bundle.js",
      "read/read.bundle.js",
      "sweepers/historySweeper.bundle.js",
      "sweepers/historySweeper.receipts.bundle.js",
      "sweepers/sessionSweeper.bundle.js",
    ]);
    const builds = ownCallbacks.flatMap(buildsOf);
    expect(builds).to.have.length(files.length);
    for (const each of builds) {
      const text = readFileSync(join(handlers, "../components/functions", builtFile(each)), "utf8");
      expect(hashesOf({ text }), builtFile(each)).to.deep.equal(hashesOf({ text: await bundleModule(each) }));
    }
  });

  it("ships the same functions out of a workspace that links it", async () => {
    const inWorkspace = await consumer.runProgram(consumer.linkWorkspace());

    for (const name of functionNames()) {
      expect(hashesOf(functionOf(name, inWorkspace).code), name).to.deep.equal(hashesOf(functionOf(name).code));
    }
  });

  it("ships nothing of the program's other dependencies", () => {
    const { version } = JSON.parse(
      readFileSync(join(consumer.folder, "node_modules/fastify/package.json"), "utf8"),
    ) as { version: string };
    expect(program.exported.frameworkVersion, "the program uses it").to.equal(version);

    for (const name of functionNames()) {
      const { code } = functionOf(name);
      expect(Object.keys(code), name).to.have.members([
        "index.js",
        ...(name === "news-connect" ? ["authenticate.js"] : []),
      ]);
      expect(Object.values(code).join(), name).to.not.match(/fastify/i);
    }
  });

  it("has functions that run where there is nothing else", async () => {
    expect(await call("chat-connect", connectEvent({ query: null }))).to.include({ statusCode: 400 });
    expect(await call("chat-connect", connectEvent({}))).to.include({ statusCode: 401 });
    expect(await call("news-deliver", { Records: [] })).to.deep.equal({ batchItemFailures: [] });
  });

  it("bundles the program's own authentication with its files and packages, found from its folder", async () => {
    const tokenOf = (sub: string) => `e30.${Buffer.from(JSON.stringify({ sub })).toString("base64url")}.`;
    const authenticate = (sub: string) => call("news-connect", { token: tokenOf(sub) }, "authenticate.js");
    expect(await authenticate("Ada")).to.deep.equal({ code: "Ada" });
    expect(await authenticate("Mallory")).to.equal(null);

    const connect = (sub: string) =>
      call("news-connect", connectEvent({ headers: { authorization: `Bearer ${tokenOf(sub)}` } }));
    expect(await connect("Ada"), "gets as far as the table").to.include({ statusCode: 500 });
    expect(await connect("Mallory")).to.include({ statusCode: 401 });
  });

  it("bundles a function of the program's own", async () => {
    expect(await call("lookup", { code: "Grace" })).to.equal(true);
    expect(await call("lookup", { code: "Mallory" })).to.equal(false);
  });

  it("gives a function of the program's own the relay's verifier", async () => {
    const key = createPrivateKey({ key: program.exported.signingKey as JsonWebKey, format: "jwk" });
    const tokenFor = (aud: string) =>
      new SignJWT({ iss: "acme", aud, sub: "Ada", exp: 4_000_000_000 }).setProtectedHeader({ alg: "ES256" }).sign(key);
    const accepted = await call("verify", { token: await tokenFor("news") });
    expect(accepted).to.deep.include({ user: "Ada", expiresAt: 4_000_000_000 });
    const refused = await call("verify", { token: await tokenFor("chat") });
    expect(refused).to.deep.equal({ refused: 'the claim aud has none of ["news"]' });
  });

  it("lets relays live in one program, each with names and an environment of its own", () => {
    const names = program.registrations.map(({ type, name }) => `${type} ${name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).to.deep.equal([]);
    const partsOf = (relay: string) =>
      names.filter((name) => name.includes(` ${relay}`)).map((name) => name.replace(relay, "relay"));
    expect(partsOf("chat")).to.include.members(partsOf("news")).and.to.have.lengthOf.above(20);

    const settings = (name: string) => functionOf(name).environment.variables;
    expect(settings("chat-deliver")).to.include({ TABLE_NAME: "chat-table", MAX_ATTEMPTS: "66" });
    expect(settings("news-deliver")).to.include({ TABLE_NAME: "news-table", MAX_ATTEMPTS: "5" });
    for (const lambda of ["connect", "disconnect", "deliver"]) {
      expect(JSON.stringify(settings(`chat-${lambda}`)), lambda).to.not.include("news");
      expect(JSON.stringify(settings(`news-${lambda}`)), lambda).to.not.include("chat");
    }
  });

  it("gives a backend its helper and the wire protocol, without Pulumi", async () => {
    const stdout = await consumer.node(["-r", "ts-node/register", "backend.ts"]);
    expect(JSON.parse(stdout)).to.deep.equal({ refused: true, isPulumiLoaded: false });
  });

  it("gives clients their library, without Pulumi, to programs of both kinds of modules", async () => {
    const expected = { state: "closed", refused: "input", isPulumiLoaded: false };
    expect(JSON.parse(await consumer.node(["-r", "ts-node/register", "client.ts"]))).to.deep.equal(expected);

    const names = 'Object.keys(await import("pulumi-websocket-relay/client")).sort().join()';
    const [imported, required] = await Promise.all([
      consumer.node(["--input-type=module", "-e", `console.log(${names})`]),
      consumer.node(["-e", 'console.log(Object.keys(require("pulumi-websocket-relay/client")).sort().join())']),
    ]);
    expect(imported).to.equal(required).and.to.include("RelayClient,");
  });

  it("gives a browser its client in one module, and React Native, whose bundler may know no .mjs, in those of CommonJS", async () => {
    const inputsOf = async (program: string, conditions: string[]): Promise<string[]> => {
      const { metafile } = await build({
        entryPoints: [join(consumer.folder, program)],
        ...{ bundle: true, platform: "browser", format: "esm", conditions, write: false, metafile: true, outdir: "/" },
      });
      const inputs = Object.keys(metafile.inputs).filter((path) => !path.endsWith(program));
      return inputs.map((path) => path.replace(/^.*node_modules\//, ""));
    };
    const folder = "pulumi-websocket-relay/dist";
    expect(await inputsOf("browser/page.mts", [])).to.deep.equal([`${folder}/client/index.mjs`]);
    const native = await inputsOf("reactNative/app.ts", ["react-native"]);
    await stop();
    expect(native).to.include.members([`${folder}/client/index.js`, `${folder}/protocol/index.js`]);
    expect(native.filter((path) => !/\/dist\/(client|protocol)\/\w+\.js$/.test(path))).to.deep.equal([]);
  });

  it("gives ES modules the names of each entry, those of the relay's and the tests' out of CommonJS", async () => {
    const entries = {
      "": ["WebsocketRelay", ".js"],
      "/ag-ui": ["sendEvents", ".mjs"],
      "/backend": ["RelayBackend", ".mjs"],
      "/client": ["RelayClient", ".mjs"],
      "/protocol": ["SUBPROTOCOLS", ".mjs"],
      "/testing": ["runUnderMocks", ".js"],
    };
    const script = Object.entries(entries).map(
      ([entry, [name]]) => `import { ${name} } from "pulumi-websocket-relay${entry}";
        console.log(typeof ${name}, import.meta.resolve("pulumi-websocket-relay${entry}").replace(/.*index/, ""));`,
    );
    const printed = await consumer.node(["--input-type=module", "-e", script.join("\n")]);
    const lines = Object.values(entries).map(
      ([name, file]) => `${/^[A-Z]+$/.test(name ?? "") ? "object" : "function"} ${file}`,
    );
    expect(printed.trim().split("\n")).to.deep.equal(lines);
  });

  it("lets esbuild bundle a backend into an ES module that loads", async () => {
    const outfile = join(consumer.folder, "..", "bundle", "publish.mjs");
    await build({
      entryPoints: [join(consumer.folder, "publish.ts")],
      ...{ bundle: true, platform: "node", format: "esm", mainFields: ["module", "main"], outfile, logLevel: "silent" },
    });
    await stop();
    expect(await consumer.node([outfile])).to.equal("RelayInputError\n");
  });

  it("tests a program with mocha and chai as the docs show it", async () => {
    const block = (file: string, marker: RegExp) => {
      const text = readFileSync(join(consumer.packageFolder, file), "utf8");
      const blocks = [...text.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, block = ""]) => block);
      return blocks.find((each) => marker.test(each)) ?? "";
    };
    const folder = join(consumer.folder, "documented");
    mkdirSync(folder);
    const smallest = block("README.md", /^const relay = new WebsocketRelay/m).replaceAll("your-domain.com", "acme.dev");
    writeFileSync(join(folder, "index.ts"), smallest);
    writeFileSync(join(folder, "index.test.ts"), block("docs/in-your-program.md", /runUnderMocks/));

    const mocha = consumer.link("mocha", "chai", "@types/mocha", "@types/chai");
    const flags = ["-r", "ts-node/register", "--timeout", "60000"];
    const printed = await consumer.node([join(mocha, "bin/mocha.js"), ...flags, "documented/index.test.ts"]);
    expect(printed).to.include("3 passing").and.not.include("failing");
    const types = ["--types", "node,mocha", "--module", "nodenext", "--target", "es2022", "--strict", "--noEmit"];
    await consumer.node([
      join(consumer.folder, "node_modules/typescript/bin/tsc"),
      ...types,
      "--skipLibCheck",
      "documented/index.test.ts",
    ]);
  });

  it("links in README, docs, changelog and examples only to what it holds", () => {
    const files = readdirSync(consumer.packageFolder, { recursive: true }) as string[];
    const pages = files.filter((file) => file.endsWith(".md") && !file.includes("node_modules"));
    expect(pages).to.include.members(["README.md", "CHANGELOG.md", "docs/client.md", "examples/smallest/README.md"]);
    const broken = pages.flatMap((page) => {
      const text = readFileSync(join(consumer.packageFolder, page), "utf8").replace(/^```[^]*?^```/gm, "");
      const links = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, link = ""]) => link);
      const relative = links.filter((link) => !/^[a-z]+:/.test(link));
      return relative.filter((link) => !existsSync(join(consumer.packageFolder, page, "..", link)));
    });
    expect(broken).to.deep.equal([]);
  });

  it("gives the command line", async () => {
    const stdout = await consumer.node(["node_modules/.bin/pulumi-websocket-relay", "--help"]);
    expect(stdout).to.match(/^Usage: pulumi-websocket-relay /);
  });

  it("has types that a strict program compiles with, whose wrong arguments do not compile", async () => {
    const tsc = join(consumer.folder, "node_modules/typescript/bin/tsc");
    // The second as in the projects that `pulumi new` made for years.
    const olderModules = ["--module", "commonjs", "--moduleResolution", "node10", "--esModuleInterop"];
    const esModules = [
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--strict",
      "--noEmit",
      "--skipLibCheck",
      "modules.mts",
    ];
    const programs = [[], olderModules, esModules, ["-p", "browser"], ["-p", "reactNative"]];
    await Promise.all(programs.map((flags) => consumer.node([tsc, ...flags])));
  });

  it("holds what was compiled, and neither sources nor tests nor maps", () => {
    const folder = consumer.packageFolder;
    const pages = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"];
    const others = [...pages, "docs", "examples", "plugin", "protocol", "package.json"];
    expect(readdirSync(folder).filter((name) => name !== "node_modules")).to.have.members(["dist", ...others]);
    const schemas = ["frames", "messageAttributes", "receipt", "streamChunk"].map((name) => `${name}.schema.json`);
    expect(readdirSync(join(folder, "protocol"))).to.have.members(schemas);
    const plugin = ["PulumiPlugin.yaml", "index.js", "package.json", "schema.json"];
    expect(readdirSync(join(folder, "plugin"))).to.have.members(plugin);

    const compiled = readdirSync(join(folder, "dist"), { recursive: true, withFileTypes: true });
    const files = compiled.filter((entry) => entry.isFile()).map(({ name }) => name);
    expect(files).to.include("websocketRelay.js").and.to.include("websocketRelay.d.ts");
    const modules = files.filter((name) => !/\.(js|d\.ts)$/.test(name)).sort();
    expect(modules).to.deep.equal([...Array<string>(4).fill("index.d.mts"), ...Array<string>(4).fill("index.mjs")]);
    const shipped = ["agUi", "backend", "cli", "client", "components", "handlers", "protocol", "testing", "verifier"];
    expect(readdirSync(join(folder, "dist")).filter((name) => !shipped.includes(name))).to.deep.equal([]);
  });
});
