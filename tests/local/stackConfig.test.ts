import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { resolveArgs, type WebsocketRelayArgs } from "../../components/args";
import { asRuntimeConfig, readStackConfig, type StackConfig, withLocalIssuer } from "../../local/stackConfig";

const repository = resolve(__dirname, "../..");

describe("readStackConfig", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stack-config-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (project: string, stack: string) => {
    writeFileSync(join(folder, "Pulumi.yaml"), `name: p\nconfig:\n${project}`);
    writeFileSync(join(folder, "Pulumi.dev.yaml"), stack);
    return () => readStackConfig(folder, "dev");
  };

  it("lays the stack's values over the project's defaults, and leaves other namespaces to their providers", () => {
    const read = write(
      "  a: { type: integer, default: 1 }\n  b: { type: string, default: x }",
      "config:\n  p:a: 2\n  aws:region: eu-west-1",
    );
    expect(read()).to.deep.equal({ project: "p", values: { a: 2, b: "x" } });
    expect(asRuntimeConfig(read())).to.deep.equal({ "p:a": "2", "p:b": "x" });
  });

  it("reads numbers and booleans that the CLI has written as text", () => {
    const read = write("  a: { type: integer }\n  b: { type: boolean }", 'config:\n  p:a: "10"\n  p:b: "true"');
    expect(read().values).to.deep.equal({ a: 10, b: true });
  });

  it("refuses a declared key without value or default; a null default counts as none", () => {
    for (const declared of ["{ type: object }", "{ type: object, default: null }"]) {
      expect(write(`  auth: ${declared}`, "config: {}")).to.throw("missing configuration value 'auth'");
    }
  });

  const wrong: [type: string, value: string][] = [
    ["type: integer", "1.5"],
    ["type: integer", "'1.5'"],
    ["type: integer", "x"],
    ["type: string", "1"],
    ["type: boolean", "yes please"],
    ["type: array, items: { type: string }", "[1]"],
    ["type: array, items: { type: string }", "x"],
    ["type: object", "[]"],
  ];
  for (const [type, value] of wrong) {
    it(`refuses ${value} for { ${type} }, naming key, type and value`, () => {
      const read = write(`  key: { ${type} }`, `config:\n  p:key: ${value}`);
      expect(read).to.throw(/'key' must be of type '\w+', got /);
    });
  }

  it("names the stacks that there are when asked for another", () => {
    expect(() => readStackConfig(repository, "staging"))
      .to.throw('stack "staging" has no file')
      .and.match(/dev, prod/);
  });
});

for (const stack of ["dev", "prod"]) {
  describe(`Pulumi.${stack}.yaml`, () => {
    const config = readStackConfig(repository, stack);

    it("is refused by the program as it stands: its issuer is a placeholder, and the error says what to set", () => {
      expect(() => resolveArgs(argsOf(config))).to.throw(
        /^auth\.oidc\.issuer: got "https:\/\/issuer\.example\.com".*To mend it, set the issuer/,
      );
    });

    it("is accepted with the local issuer in its place", () => {
      const local = withLocalIssuer(config, { issuer: "https://127.0.0.1:1", audience: "local" });
      const resolved = resolveArgs(argsOf(local));
      expect(resolved.auth).to.deep.include({ oidc: { issuer: "https://127.0.0.1:1", audience: "local" } });
    });
  });
}

describe("the stacks", () => {
  it("retry for an hour and more in prod, and for a minute in dev", () => {
    const windowOf = (stack: string) => {
      const local = withLocalIssuer(readStackConfig(repository, stack), {
        issuer: "https://127.0.0.1:1",
        audience: "a",
      });
      return resolveArgs(argsOf(local)).retryWindowSeconds;
    };
    expect(windowOf("prod")).to.deep.equal({ shortest: 3603, longest: 7206 });
    expect(windowOf("dev").longest).to.be.within(60, 120);
  });
});

/** As the program reads them: an empty text or object is none. */
function argsOf({ values }: StackConfig): WebsocketRelayArgs {
  const given = Object.entries(values).filter(
    ([, value]) => !["", "{}"].includes(typeof value === "string" ? value : JSON.stringify(value)),
  );
  return Object.fromEntries(given) as unknown as WebsocketRelayArgs;
}
