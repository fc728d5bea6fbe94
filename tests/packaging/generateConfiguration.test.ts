import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { type Option, spec } from "../../components/args/spec";
import { staleFiles, staleSchema } from "../../packaging/generateConfiguration";
import { projectFile } from "../../packaging/projectFile";

const committed = readFileSync(resolve(__dirname, "../../Pulumi.yaml"), "utf8");

describe("the generated configuration", () => {
  it("is committed as the spec has it: else run node -r ./transpile packaging/generateConfiguration.ts", async () => {
    expect([...(await staleFiles()).keys()]).to.deep.equal([]);
  });

  it("has the schema that Pulumi's analyzer makes of the arguments: else run the same", async function () {
    this.timeout(60_000);
    expect([...(await staleSchema()).keys()]).to.deep.equal([]);
  });

  it("declares in Pulumi.yaml every option that has a default of its own, or an empty one", () => {
    const { config } = parse(committed) as { config: object };
    const declared = Object.entries<Option>(spec).filter(
      ([, { type, default: value }]) => value !== undefined || !["integer", "boolean"].includes(type),
    );
    expect(Object.keys(config)).to.deep.equal(declared.map(([key]) => key));
  });
});

describe("projectFile", () => {
  const options = {
    count: { type: "integer", default: 3, min: 1, max: 9, unit: "seconds", description: "How many." },
    names: { type: "array", default: [], description: "Which." },
    key: { type: "string", otherwise: "one is made", replayOnly: true, description: "Whose." },
    nested: {
      type: "object",
      required: true,
      description: "More.",
      keys: { a: { type: "string", required: true, description: "A." } },
    },
    flag: { type: "boolean", otherwise: "the value of another", description: "Not declarable." },
  } as const;
  const source = `# A project.
name: relay   # its name
config:
  # Of another release.
  former:
    type: string
  # About the count.
  count:
    # An integer.
    type: string
    default: 2 # two
    description: Old.
  # About what is not declared.
  names:
    type: array
# About the runtime.
runtime:   nodejs
`;

  it("declares each option with its type, default and description, its limits among them", () => {
    const { config } = parse(projectFile(source, options)) as { config: object };
    expect(config).to.deep.equal({
      count: { type: "integer", default: 3, description: "How many. Allowed: 1 to 9 seconds." },
      names: { type: "array", items: { type: "string" }, default: [], description: "Which." },
      key: { type: "string", default: "", description: "Whose. Only in replay mode. If empty, one is made." },
      nested: { type: "object", description: "More. Keys: `a`; see docs/configuration.md." },
    });
  });

  it("keeps the comments of the options that stay, and everything outside of config", () => {
    const generated = projectFile(source, options);
    expect(generated.startsWith("# A project.\nname: relay   # its name\nconfig:\n")).to.equal(true);
    expect(generated.endsWith("\n# About the runtime.\nruntime:   nodejs\n")).to.equal(true);
    expect(generated).to.include("  # About the count.\n  count:\n    # An integer.\n    type: integer\n");
    expect(generated).to.include("default: 3 # two\n");
    expect(generated).to.include("  # About what is not declared.\n  names:\n");
    expect(generated).not.to.include("former");
  });

  it("changes nothing that it has generated", () => {
    const generated = projectFile(source, options);
    expect(projectFile(generated, options)).to.equal(generated);
    expect(projectFile(generated, { ...options, count: { ...options.count, max: 10 } })).not.to.equal(generated);
  });

  it("keeps the comments of the committed file", () => {
    const stale = committed.replace("default: 66", "default: 65");
    expect(stale).not.to.equal(committed);
    expect(projectFile(stale)).to.equal(committed).and.to.include("# pointInTimeRecovery (boolean) is a key, too.");
  });
});
