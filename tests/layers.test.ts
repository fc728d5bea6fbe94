import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative, resolve } from "node:path";
import { expect } from "chai";
import * as typescript from "typescript";

const repository = resolve(__dirname, "..");

/** Who may import whom; nothing points back. */
const allowed: Record<string, string[]> = {
  "index.ts": ["components"],
  components: ["handlers", "protocol"],
  handlers: ["protocol"],
  protocol: [],
  client: ["protocol"],
  backend: ["handlers", "protocol"],
  verifier: ["handlers"],
  cli: ["backend", "handlers", "protocol"],
  testing: [],
  local: ["index.ts", "components", "handlers", "protocol", "backend", "client"],
};

describe("the folders", () => {
  for (const [layer, layers] of Object.entries(allowed)) {
    it(`let ${layer} import ${layers.length > 0 ? layers.join(" and ") : "nothing of the others"}`, () => {
      const imported = filesOf(layer).flatMap((file) =>
        importsOf(file)
          .filter((path) => path.startsWith("."))
          .map((path) => relative(repository, resolve(file, "..", path)).split("/")[0] ?? ""),
      );
      expect(imported.filter((target) => target !== layer && !layers.includes(target))).to.deep.equal([]);
    });
  }

  it("let local import of handlers the types alone: it runs the bundles", () => {
    const values = filesOf("local").flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/^import (?!type )[^;]* from "[./]+\/handlers\/[^"]*"/gm)].flat(),
    );
    expect(values).to.deep.equal([]);
  });

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

function filesOf(layer: string): string[] {
  if (layer.endsWith(".ts")) return [join(repository, layer)];
  if (!existsSync(join(repository, layer))) return [];
  const files = readdirSync(join(repository, layer), { recursive: true }) as string[];
  return files.filter((file) => /\.(ts|js)$/.test(file)).map((file) => join(repository, layer, file));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:\bfrom\s|require\(|import\()\s*"([^"\n]+)"/g)].map(([, path = ""]) => path);
}
