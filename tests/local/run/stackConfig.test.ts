import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { resolveArgs, type WebsocketRelayArgs } from "../../../components/args/args";
import {
  asRuntimeConfig,
  readStackConfig,
  type StackConfig,
  withAllowedOrigins,
  withLocalIssuer,
} from "../../../local/run/stackConfig";
import { repository } from "../../support/repository";

describe("readStackConfig", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stack-config-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (project: string, stack: string) => {
    writeFileSync(join(folder, "Pulumi.yaml"), `name: p\nconfig:\n${project}`);
    writeFileSync(join(folder, "Pulumi.dev.yaml"), stack);
    return (overrides?: Record<string, string>) => readStackConfig(folder, "dev", overrides);
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

  it("keeps null within an object, as the CLI does", () => {
    const read = write("  auth: { type: object }", "config:\n  p:auth:\n    oidc:\n      audience: null\n      azp:");
    expect(read().values).to.deep.equal({ auth: { oidc: { audience: null, azp: null } } });
    expect(asRuntimeConfig(read())).to.deep.equal({ "p:auth": '{"oidc":{"audience":null,"azp":null}}' });
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

  describe("with values for one run", () => {
    const declarations = [
      "  text: { type: string, default: a }",
      "  whole: { type: integer, default: 1 }",
      "  flag: { type: boolean, default: false }",
      "  list: { type: array, items: { type: string }, default: [] }",
      "  map: { type: object, default: {} }",
    ].join("\n");
    const read = (overrides: Record<string, string>) =>
      write(declarations, "config:\n  p:text: b\n  p:undeclared: c")(overrides).values;

    it("puts them before the stack's, each of its declared type", () => {
      const given = { text: "1", whole: "2", flag: "true", list: '["x"]', map: '{"k":1}' };
      const values = { text: "1", whole: 2, flag: true, list: ["x"], map: { k: 1 } };
      expect(read(given)).to.deep.equal({ ...values, undeclared: "c" });
      expect(read({ text: "" })).to.include({ text: "" });
    });

    it("takes a key with its project, as the CLI does, and what a stack sets without a declaration as text", () => {
      expect(read({ "p:whole": "3", undeclared: "4" })).to.include({ whole: 3, undeclared: "4" });
    });

    it("refuses an unknown key, naming those that there are", () => {
      expect(() => read({ wohle: "1" })).to.throw(
        '--config: Pulumi.yaml declares no config key "wohle"; there are: flag, list, map, text, undeclared, whole. ' +
          "Fix: check the spelling, or set a key that the program reads without a declaration in Pulumi.dev.yaml",
      );
    });

    it("refuses a secret, which only its own stack can decrypt, unless the run gives another value", () => {
      const withSecret = write(declarations, "config:\n  p:map:\n    k:\n      secure: v1:x");
      expect(() => withSecret({})).to.throw(/^Pulumi\.\w+\.yaml: map is a secret, .* Fix: .* -c map=VALUE$/);
      expect(withSecret({ map: "{}" }).values.map).to.deep.equal({});
    });

    const wrong: [key: string, value: string, allowed: string][] = [
      ["whole", "1.5", "a whole number"],
      ["whole", "", "a whole number"],
      ["flag", "yes", "true or false"],
      ["list", "x", '["a","b"]'],
      ["list", "[1]", '["a","b"]'],
      ["map", "[]", "an object as JSON"],
      ["map", "null", "an object as JSON"],
    ];
    for (const [key, value, allowed] of wrong) {
      it(`refuses ${JSON.stringify(value)} for ${key}, saying what is allowed`, () => {
        expect(() => read({ [key]: value }))
          .to.throw(`--config ${key}: got ${JSON.stringify(value)}; allowed: `)
          .with.property("message")
          .that.includes(allowed);
      });
    }
  });

  it("names the stacks that there are when asked for another", () => {
    expect(() => readStackConfig(repository, "staging"))
      .to.throw('stack "staging" has no file')
      .and.match(/dev, prod/);
  });
});

for (const stack of ["dev", "prod"]) {
  describe(`Pulumi.${stack}.yaml`, () => {
    const config = readStackConfig(repository, stack);

    it("is refused by the program until the placeholder issuer is replaced, and the error names what to set", () => {
      expect(() => resolveArgs(argsOf(config))).to.throw(
        /^auth\.oidc\.issuer: got "https:\/\/issuer\.example\.com".*Fix: set the issuer/,
      );
    });

    it("keeps what is not about the issuer when the local one takes its place", () => {
      const others = { userClaim: "code", clockToleranceSeconds: 0, cookieName: "c", endSessionWithToken: true };
      const given = { ...config, values: { auth: { oidc: { audience: null }, ...others } } };
      const local = withLocalIssuer(given, { issuer: "https://127.0.0.1:1", audience: "local" });
      expect(local.values.auth).to.deep.include(others);
    });

    it("is accepted with the local issuer in its place", () => {
      const local = withLocalIssuer(config, { issuer: "https://127.0.0.1:1", audience: "local" });
      const resolved = resolveArgs(argsOf(local));
      expect(resolved.auth).to.deep.include({ oidc: { issuer: "https://127.0.0.1:1", audience: "local" } });
    });
  });
}

describe("withAllowedOrigins", () => {
  it("adds origins to those of the stack, and to none", () => {
    const withOrigin = (values: object) =>
      withAllowedOrigins({ project: "p", values: { ...values } }, ["http://127.0.0.1:1"]).values.allowedOrigins;
    expect(withOrigin({ allowedOrigins: ["https://app.dev"] })).to.deep.equal([
      "https://app.dev",
      "http://127.0.0.1:1",
    ]);
    expect(withOrigin({})).to.deep.equal(["http://127.0.0.1:1"]);
  });
});

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
