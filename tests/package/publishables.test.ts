import { once } from "node:events";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { build, type BuildOptions, stop } from "esbuild";
import { Publishables } from "./publishables";
import { repository } from "../support/repository";

const tsc = join(repository, "node_modules/typescript/bin/tsc");
const checks = ["--strict", "--noEmit", "--target", "es2022"];
const root = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { version: string };

describe("the packages for clients and for backends alone, packed", function () {
  this.timeout(120_000);

  let packages: Publishables;
  let stub: Server;
  let requests: string[];
  let aws: Record<string, string>;

  before(async () => {
    packages = await Publishables.install();
    for (const name of ["program", "publish"]) {
      for (const extension of [".mts", ".cts"]) {
        copyFileSync(join(packages.folder, `${name}.ts`), join(packages.folder, `${name}${extension}`));
      }
    }
    stub = createServer((request, response) => {
      void text(request).then((body) => {
        requests.push(String(request.headers["x-amz-target"] ?? new URLSearchParams(body).get("Action")));
        const isQuery = request.headers["x-amz-target"] === undefined;
        response.end(
          isQuery
            ? "<PublishResponse><PublishResult><MessageId>s1</MessageId></PublishResult></PublishResponse>"
            : "{}",
        );
      });
    }).listen(0, "127.0.0.1");
    await once(stub, "listening");
    const { port } = stub.address() as AddressInfo;
    aws = { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x" };
  });
  beforeEach(() => (requests = []));
  after(async () => {
    await stop();
    stub?.close();
    packages?.remove();
  });

  it("have the component's version and licence, and a README", () => {
    for (const part of ["client", "backend"] as const) {
      expect(packages.manifest(part)).to.include({ name: `pulumi-websocket-relay-${part}`, version: root.version });
      expect(packages.manifest(part)).to.include({ license: "Apache-2.0", sideEffects: false });
      expect(packages.files(part)).to.include.members(["README.md", "LICENSE"]);
    }
  });

  it("install the client without anything else, in less than 200 kB", async () => {
    expect(packages.manifest("client").dependencies).to.deep.equal({});
    const app = join(packages.folder, "app");
    mkdirSync(app);
    const tarball = `../pulumi-websocket-relay-client-${root.version}.tgz`;
    writeFileSync(join(app, "package.json"), '{ "private": true }');
    await packages.run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], app);

    const installed = readdirSync(join(app, "node_modules")).filter((name) => !name.startsWith("."));
    expect(installed).to.deep.equal(["pulumi-websocket-relay-client"]);
    const sizes = packages.files("client").map((file) => statSync(join(packages.packageFolder("client"), file)).size);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes, `${bytes} bytes`).to.be.within(50_000, 200_000);
  });

  it("depend, for backends, on what is imported alone: clients of the SDK", () => {
    expect(packages.manifest("backend").dependencies).to.have.all.keys(
      "@aws-sdk/client-apigatewaymanagementapi",
      "@aws-sdk/client-dynamodb",
      "@aws-sdk/client-sns",
    );
    expect(packages.files("backend").filter((file) => /^components|node_modules|\.map$/.test(file))).to.deep.equal([]);
  });

  for (const [name, extension, module] of [
    ["an ES module", "mts", "nodenext"],
    ["CommonJS", "cts", "node16"],
  ] as const) {
    it(`run in ${name}`, async () => {
      const flags = ["--module", module, "--target", "es2022", "--skipLibCheck", "--outDir", extension];
      await packages.run(process.execPath, [tsc, ...flags, `program.${extension}`, `publish.${extension}`]);
      const file = (program: string) => join(extension, `${program}.${extension.replace("ts", "js")}`);

      expect(JSON.parse(await packages.run(process.execPath, [file("program")]))).to.deep.equal({
        state: "closed",
        subprotocol: "websocket-relay.v1",
        refusals: ["input", "message"],
      });
      expect(JSON.parse(await packages.run(process.execPath, [file("publish")], packages.folder, aws))).to.deep.equal({
        messageId: "m1",
        connectionsClosed: 0,
      });
      expect(requests).to.include("Publish");
    });
  }

  for (const [resolution, module, ...programs] of [
    ["nodenext", "nodenext", "program.mts", "program.cts"],
    ["node16", "node16", "program.mts", "program.cts"],
    ["bundler", "preserve", "program.ts"],
    ["node10", "commonjs", "program.ts"],
  ] as const) {
    it(`have types under moduleResolution ${resolution}`, async () => {
      const flags = ["--module", module, "--moduleResolution", resolution, ...checks];
      // Once with a look into the declarations themselves: for those of the SDK it takes long.
      const skip = resolution === "nodenext" ? [] : ["--skipLibCheck"];
      await packages.run(process.execPath, [tsc, ...flags, ...skip, "--types", "node", ...programs]);
    });
  }

  it("compile as their READMEs show them", async () => {
    const flags = ["--module", "nodenext", "--lib", "es2022,dom", "--skipLibCheck", ...checks];
    const files: string[] = [];
    for (const part of ["client", "backend"] as const) {
      const readme = readFileSync(join(packages.packageFolder(part), "README.md"), "utf8");
      const [, block = ""] = /^```ts\n([^]*?)^```/m.exec(readme) ?? [];
      expect(block).to.include(`from "pulumi-websocket-relay-${part}"`);
      writeFileSync(join(packages.folder, `${part}.mts`), block);
      files.push(`${part}.mts`);
    }
    await packages.run(process.execPath, [tsc, ...flags, "--types", "node", ...files]);
  });

  it("let esbuild bundle a backend into an ES module that loads and publishes", async () => {
    const outfile = join(packages.folder, "bundle.mjs");
    const options: BuildOptions = { bundle: true, format: "esm", platform: "node", mainFields: ["module", "main"] };
    await build({ ...options, entryPoints: [join(packages.folder, "publish.ts")], outfile, logLevel: "silent" });

    const elsewhere = join(packages.folder, "elsewhere");
    mkdirSync(elsewhere);
    const stdout = await packages.run(process.execPath, [outfile], elsewhere, aws);
    expect(JSON.parse(stdout)).to.deep.equal({ messageId: "m1", connectionsClosed: 0 });
    expect(requests).to.include("Publish");
  });

  it("give ES modules to what imports them, so that names need not be guessed from CommonJS", async () => {
    for (const name of ["client", "client/protocol", "backend"]) {
      const script = `console.log(import.meta.resolve("pulumi-websocket-relay-${name}"))`;
      expect(await packages.run(process.execPath, ["--input-type=module", "-e", script])).to.match(/\/index\.mjs\n$/);
    }
  });

  it("let an error of the ES module pass instanceof of the CommonJS one, and the other way round", async () => {
    const script = `
      import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      const classes = async (name, error) => [(await import(name))[error], require(name)[error]];
      const input = await classes("pulumi-websocket-relay-backend", "RelayInputError");
      const client = await classes("pulumi-websocket-relay-client", "RelayClientError");
      console.log(JSON.stringify([input, client].map(([esm, cjs]) => {
        class Own extends esm {}
        const [one, other, own] = [new esm("input", "m"), new cjs("input", "m"), new Own("input", "m")];
        return { distinct: esm !== cjs, passes: [other instanceof esm, one instanceof cjs, own instanceof cjs, own instanceof Own],
          fails: [one instanceof Own, new Error("m") instanceof esm, null instanceof esm] };
      })));
    `;
    const file = join(packages.folder, "instances.mjs");
    writeFileSync(file, script);
    const expected = { distinct: true, passes: [true, true, true, true], fails: [false, false, false] };
    expect(JSON.parse(await packages.run(process.execPath, [file]))).to.deep.equal([expected, expected]);
  });
});
