import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { bundle, bundleCallback } from "../../components/lambda/bundle";
import { refusal } from "../support/refusal";
import { repository } from "../support/repository";

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
    expect(error.message).to.include(
      "a callback captures a secret output, whose value would be readable in the archive. Fix: ",
    );
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
