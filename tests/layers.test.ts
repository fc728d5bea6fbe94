import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative, resolve } from "node:path";
import { expect } from "chai";
import * as typescript from "typescript";
import { cyclesOf, filesOf, importGraph, importsOf } from "./support/importGraph";
import { repository } from "./support/repository";

/** Which layers each layer may import; nothing points back. */
const allowed: Record<string, string[]> = {
  "index.ts": ["components"],
  components: ["handlers", "protocol"],
  handlers: ["protocol"],
  protocol: [],
  client: ["protocol"],
  agUi: ["client"],
  backend: ["handlers", "protocol"],
  verifier: ["handlers"],
  cli: ["backend", "handlers", "protocol"],
  testing: [],
  // It loads the program and the bundles, and imports neither components nor handlers.
  local: ["protocol", "backend", "client"],
  packaging: ["components", "handlers"],
  "build.ts": ["components", "packaging"],
  "tests/support": ["client", "components", "handlers", "local", "protocol", "testing"],
  bench: ["backend", "cli", "client", "components", "handlers", "local", "protocol", "tests/support"],
};

/** The rooms of a layer, each of which may import those before it. Rooms of one line do not import each other. */
const rooms: Record<string, string[][]> = {
  handlers: [
    // The files that all rooms share.
    ["."],
    ["sessions"],
    ["messages"],
    ["connections", "queue", "receipts"],
    ["history"],
    ["raw"],
    // One room for each trigger, or for the calls of a backend.
    ["connect", "disconnect", "deliver", "frames", "sweepers", "operations"],
    // It authenticates a request as a handshake.
    ["read"],
  ],
  components: [
    ["args"],
    ["lambda"],
    ["data", "gateway", "ingress"],
    ["functions"],
    ["everyMinute.ts"],
    ["sweeper.ts", "httpRead.ts"],
    ["historySweeper.ts"],
    ["replay.ts"],
    ["monitoring"],
    ["websocketRelay.ts"],
    ["index.ts", "remote"],
  ],
  local: [
    ["."],
    ["cloudwatch", "iam", "oidc", "trace"],
    ["dynamodb", "lambda", "messaging"],
    ["events", "gateway"],
    ["provision"],
    ["cloud.ts"],
    ["control", "page"],
    ["run"],
  ],
  cli: [
    ["."],
    ["conformance", "cost", "deadLetters", "sessions"],
    ["capacity", "history"],
    ["program.ts"],
    ["index.ts"],
  ],
};

/** Single files of other layers, each of which imports nothing itself. */
const allowedFiles: Record<string, string[]> = { cli: ["components/args/spec"] };

describe("the folders", () => {
  for (const [layer, layers] of Object.entries(allowed)) {
    it(`let ${layer} import ${layers.length > 0 ? layers.join(" and ") : "nothing of the others"}`, () => {
      const imported = filesOf(layer).flatMap((file) =>
        importsOf(file)
          .filter((path) => path.startsWith("."))
          .map((path) => relative(repository, resolve(file, "..", path)))
          .filter((path) => !allowedFiles[layer]?.includes(path))
          .map(layerOf),
      );
      expect(filesOf(layer)).to.not.be.empty;
      expect(imported.filter((target) => target !== layer && !layers.includes(target))).to.deep.equal([]);
    });
  }

  for (const [layer, files] of Object.entries(allowedFiles)) {
    for (const file of files) {
      it(`let ${layer} import ${file}.ts, which imports nothing`, () => {
        expect(filesOf(layer).flatMap(importsOf).join()).to.include(file);
        expect(importsOf(join(repository, `${file}.ts`))).to.deep.equal([]);
      });
    }
  }

  it("let components/args import of components only its own files: the others import it", () => {
    const imported = filesOf("components/args").flatMap((file) =>
      importsOf(file)
        .filter((path) => path.startsWith("."))
        .map((path) => relative(repository, resolve(file, "..", path))),
    );
    expect(imported).to.not.be.empty;
    expect(imported.filter((path) => !/^(components\/args|handlers|protocol)\//.test(path))).to.deep.equal([]);
  });

  it("have no import cycle, not even of types", () => {
    const files = [...Object.keys(allowed), "tests", "examples"].flatMap(filesOf);
    const graph = importGraph([...new Set(files)]);
    expect(graph.get("components/index.ts")).to.include("components/websocketRelay.ts");
    expect(cyclesOf(graph)).to.deep.equal([]);
  });

  it("would not hide a cycle that goes through other files", () => {
    const graph = new Map([
      ["a", ["b", "d"]],
      ["b", ["c"]],
      ["c", ["a"]],
      ["d", ["e"]],
      ["e", []],
      ["f", ["f"]],
    ]);
    expect(cyclesOf(graph)).to.deep.equal([["a", "b", "c"], ["f"]]);
  });

  for (const [layer, order] of Object.entries(rooms)) {
    it(`let a room of ${layer} import the rooms before it`, () => {
      const rank = (room: string) => order.findIndex((line) => line.includes(room));
      const upwards: string[] = [];
      for (const [file, imported] of importGraph(filesOf(layer))) {
        const room = roomOf(file, order);
        expect(rank(room), `${file} is in no room of the list`).to.be.at.least(0);
        for (const other of imported.filter((each) => each.startsWith(`${layer}/`))) {
          const target = roomOf(other, order);
          if (target !== room && rank(target) >= rank(room)) upwards.push(`${file} imports ${other}`);
        }
      }
      expect(upwards).to.deep.equal([]);
    });
  }

  for (const layer of ["protocol", "client"]) {
    it(`let ${layer} import no package, and use nothing that only Node or a browser has`, () => {
      const files = filesOf(layer);
      expect(files).to.not.be.empty;
      expect(files.flatMap(importsOf).filter((path) => !path.startsWith("."))).to.deep.equal([]);
      const program = typescript.createProgram(files, {
        noEmit: true,
        strict: true,
        types: [],
        target: typescript.ScriptTarget.ES2022,
        module: typescript.ModuleKind.NodeNext,
        moduleResolution: typescript.ModuleResolutionKind.NodeNext,
        lib: ["lib.es2023.d.ts"],
      });
      expect(typescript.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).to.deep.equal([]);
    });
  }

  it("let handlers import the packages of the deployed component alone, and nothing of Pulumi", () => {
    const { dependencies } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const packages = filesOf("handlers").flatMap((file) => importsOf(file).filter((path) => !path.startsWith(".")));
    expect(packages).to.not.be.empty;
    const foreign = packages.filter((path) => {
      const name = path
        .split("/")
        .slice(0, path.startsWith("@") ? 2 : 1)
        .join("/");
      const builtin = name.startsWith("node:") || builtinModules.includes(name);
      // Types are gone by the time that a function runs.
      return !builtin && !(name in dependencies) && name !== "aws-lambda";
    });
    expect(foreign).to.deep.equal([]);
  });

  it("let bench import of tests what lies in tests/support alone", () => {
    const imported = filesOf("bench").flatMap((file) =>
      importsOf(file)
        .filter((path) => path.startsWith("."))
        .map((path) => relative(repository, resolve(file, "..", path))),
    );
    const fixtures = imported.filter((path) => path.startsWith("tests/"));
    expect(fixtures).to.not.be.empty;
    expect(fixtures.filter((path) => !path.startsWith("tests/support/"))).to.deep.equal([]);
  });

  it("keep the public suffix list out of the functions: it is for what is checked at deploy", () => {
    expect(filesOf("components").flatMap(importsOf)).to.include("tldts");
    expect(["handlers", "protocol"].flatMap(filesOf).flatMap(importsOf)).not.to.include("tldts");
  });

  it("let testing import Pulumi alone, and no test framework: it works with each", () => {
    const packages = filesOf("testing").flatMap((file) => importsOf(file).filter((path) => !path.startsWith(".")));
    expect(packages).to.include("@pulumi/pulumi");
    expect(packages.filter((path) => !path.startsWith("@pulumi/pulumi"))).to.deep.equal([]);
  });

  it("keep the policy simulator, whose licence is the AGPL, out of everything that is published", () => {
    const published = [
      "index.ts",
      "components",
      "handlers",
      "protocol",
      "agUi",
      "backend",
      "cli",
      "client",
      "verifier",
      "testing",
      "examples",
    ];
    const importing = published
      .filter((layer) => existsSync(join(repository, layer)))
      .flatMap(filesOf)
      .filter((file) => importsOf(file).some((path) => path.startsWith("@cloud-copilot/")));
    expect(importing).to.deep.equal([]);
  });

  it("pin every run-time dependency exactly, so that a consumer's bundle is ours", () => {
    const { dependencies } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    for (const [name, version] of Object.entries(dependencies)) {
      expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
    }
  });
});

/** `tests/support` and the other folders of tests are layers of their own. */
function layerOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "tests" ? `${first}/${second}` : first.replace(/^build$/, "build.ts");
}

/** The folder in its layer; a file that is in none is a room if the order names it, else one of those that all share. */
function roomOf(path: string, order: string[][]): string {
  const [, room = "", ...rest] = path.split("/");
  return rest.length > 0 || order.flat().includes(room) ? room : ".";
}
