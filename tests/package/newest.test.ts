import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { deployedFunctions } from "../bundles/deployed";
import { pathOf, type Tool } from "../docs/tools";
import { repository } from "../support/repository";
import { Consumer, functionIn, hashesOf, type Program, type Toolchain } from "./consumer";

/** What `npm install` brought when the file was last changed, and TypeScript 7 next to it under a name of its own. */
const newest = JSON.parse(readFileSync(join(__dirname, "newest.json"), "utf8")) as Toolchain;

const tools: Tool[] = ["Node 24", "Node 26"];
const nodes = tools.flatMap((name) => {
  const path = pathOf(name);
  return path === undefined ? [] : [{ name, path }];
});

const { devDependencies, peerDependencies } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
};

describe("the packed package, in a program with the newest versions", function () {
  this.timeout(600_000);
  after(() => {
    if (nodes.length === 0) console.log(`    Left out here, and run by .ci/run: what needs ${tools.join(" and ")}`);
  });

  it("has each of them pinned, none older than this repository's", () => {
    for (const [name, pinned] of Object.entries(newest)) {
      const version = pinned.replace(/^npm:.*@/, "");
      expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
      const order = version.localeCompare(devDependencies[name] ?? "0", "en", { numeric: true });
      expect(order, `${name} ${version}, here ${devDependencies[name]}`).to.be.at.least(0);
    }
  });

  it("has the oldest versions that the package takes named in the docs", () => {
    const page = readFileSync(join(repository, "docs/in-your-program.md"), "utf8");
    for (const [name, range] of Object.entries(peerDependencies)) {
      const [, oldest = range] = /^\^(\d+\.\d+)\.0$/.exec(range) ?? [];
      expect(page).to.include(`\`${name}\` ${oldest} or later`);
    }
  });

  if (nodes.length === 0) return;

  let consumer: Consumer;
  const programs = new Map<string, Program>();
  before(async () => {
    consumer = await Consumer.install(newest);
    const run = async ({ name, path }: (typeof nodes)[number]) =>
      programs.set(name, await consumer.runProgram(consumer.folder, path));
    await Promise.all(nodes.map(run));
  });
  after(() => consumer?.remove());

  const functionOn = (node: string, name: string) => {
    const program = programs.get(node);
    if (!program) throw new Error(`the program did not run on ${node}`);
    return functionIn(program, name);
  };

  it("ships the same functions as this repository, on each Node", async () => {
    const relays: Record<string, string> = { relay: "chat", receipts: "feed" };
    for (const { name, files } of await deployedFunctions()) {
      const [relay = "", part = ""] = name.split("-");
      const other = relays[relay];
      if (other === undefined) continue;
      for (const { name: node } of nodes) {
        expect(hashesOf(functionOn(node, `${other}-${part}`).code), `${name}, ${node}`).to.deep.equal(hashesOf(files));
      }
    }
  });

  for (const { name: node, path } of nodes) {
    it(`bundles the program's own callbacks on ${node}`, () => {
      expect(Object.keys(functionOn(node, "news-connect").code)).to.have.members(["index.js", "authenticate.js"]);
      expect(functionOn(node, "lookup").code["index.js"]).to.match(/Grace/);
    });

    it(`gives the backend's helper, the client and the command line on ${node}`, async () => {
      const run = (...args: string[]) => consumer.node(args, consumer.folder, path);
      const register = ["-r", "ts-node/register"];
      expect(JSON.parse(await run(...register, "backend.ts"))).to.include({ refused: true });
      expect(JSON.parse(await run(...register, "client.ts"))).to.have.property("state");
      expect(await run("node_modules/.bin/pulumi-websocket-relay", "--help")).to.match(/^Usage: /);
    });
  }

  it("has types that a strict program compiles with, in TypeScript 6 and 7", async () => {
    const compilers = ["typescript", "typescript7"];
    await Promise.all(compilers.map((name) => consumer.node([join("node_modules", name, "bin/tsc")])));
  });

  it("refuses TypeScript 7 for the program by version and folder, with a fix", async () => {
    const modules = join(consumer.folder, "node_modules");
    renameSync(join(modules, "typescript"), join(modules, "typescript6"));
    renameSync(join(modules, "typescript7"), join(modules, "typescript"));
    const program = `
      const { WebsocketRelay } = require("pulumi-websocket-relay");
      new WebsocketRelay("chat", { auth: null, allowedOrigins: null });
    `;
    writeFileSync(join(consumer.folder, "plain.js"), program);
    for (const { path } of nodes) {
      const error = await consumer.node(["runUnderMocks.js", "./plain.js"], consumer.folder, path).catch(String);
      expect(error).to.include(`typescript in ${modules}/typescript: got "7.0.2"; allowed: TypeScript 5 or 6`);
      expect(error).to.include("Fix: run npm install --save-dev typescript@5");
    }
  });
});
