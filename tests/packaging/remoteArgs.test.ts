import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Options } from "../../components/args/spec";
import { remoteArgs } from "../../packaging/remoteArgs";
import { optionsWithPaths } from "../support/optionPaths";
import { repository } from "../support/repository";

interface Property {
  $ref?: string;
  description?: string;
  optional?: boolean;
}

const { resources, types } = JSON.parse(readFileSync(join(repository, "plugin/schema.json"), "utf8")) as {
  resources: Record<string, { inputProperties: Record<string, Property> }>;
  types: Record<string, { properties: Record<string, Property> }>;
};

/** Every argument of the schema by its path. */
function inputs(properties: Record<string, Property>, prefix = ""): [string, Property][] {
  return Object.entries(properties).flatMap(([key, property]) => [
    [`${prefix}${key}`, property] as [string, Property],
    ...inputs(types[property.$ref?.replace("#/types/", "") ?? ""]?.properties ?? {}, `${prefix}${key}.`),
  ]);
}

describe("the arguments for other languages", () => {
  it("are every option of the spec but callbacks, and the booleans that mean null, each with a description", () => {
    const crossing = optionsWithPaths().filter(({ option }) => !option.programOnly);
    const nulls = crossing.flatMap(({ path, option }) => {
      const key = option.remote?.nullAs?.key;
      return key === undefined ? [] : [path.replace(/[^.]+$/, key)];
    });
    const declared = inputs(resources["websocket-relay:index:WebsocketRelay"]?.inputProperties ?? {});
    expect(declared.map(([path]) => path)).to.have.members([...crossing.map(({ path }) => path), ...nulls]);
    expect(nulls).to.have.members(["authDisabled", "originCheckDisabled", "auth.oidc.audienceCheckDisabled"]);
    for (const [path, { description }] of declared) expect(description, path).to.match(/^[A-Z][^]{20,}\.$/);
  });

  it("say what happens without them, where they are optional", () => {
    const optional = inputs(resources["websocket-relay:index:WebsocketRelay"]?.inputProperties ?? {}).filter(
      ([, property]) => property.optional,
    );
    expect(optional).to.have.length.above(60);
    for (const [path, { description }] of optional) {
      expect(description, path).to.match(/\sDefault:\s|\sRequired unless\s|\sWithout it,\s/);
    }
  });

  const options = {
    word: { type: "string", oneOf: ["a", "b"], default: "a", description: "Which." },
    count: { type: "integer", default: 3, min: 1, max: 9, unit: "seconds", replayOnly: true, description: "How long." },
    callback: { type: "function", programOnly: true, otherwise: "none", description: "What." },
    nested: {
      type: "object",
      required: true,
      description: "Who.",
      remote: { description: "Who it is.", nullAs: { key: "nobody", description: "Whether it is nobody." } },
      keys: { key: { type: "string", required: true, description: "Whose." } },
    },
  } as const satisfies Options;

  it("are of types that Pulumi's analyzer takes, with limits, mode and default in the description", async () => {
    const text = await remoteArgs(options);
    expect(text).to.include('/** Which. Allowed: `a`, `b`. Default: `"a"`. */\n  word?: string;');
    expect(text).to.include("/** How long. Allowed: 1 to 9 seconds. Only in replay mode. Default: `3`. */\n");
    expect(text).to.include('count?: WebsocketRelayArgs["count"];');
    expect(text).to.not.include("callback");
    expect(text).to.include('export interface Nested {\n  /** Whose. */\n  key: OwnNested["key"];\n}');
  });

  it("have a boolean of its own where null has a meaning, and require neither", async () => {
    const text = await remoteArgs(options);
    expect(text).to.include("/** Who it is. Required unless `nobody` is `true`. */\n  nested?: Nested;");
    expect(text).to.include("/** Whether it is nobody. Default: `false`. */\n  nobody?: boolean;");
  });
});

describe("the plugin", () => {
  const manifestOf = (folder: string) =>
    JSON.parse(readFileSync(join(repository, folder, "package.json"), "utf8")) as {
      version: string;
      dependencies: Record<string, string>;
      peerDependencies: Record<string, string>;
      peerDependenciesMeta: Record<string, { optional: boolean }>;
    };

  it("is of the package's version, and has the package and its required peers as dependencies", () => {
    const { version, peerDependencies, peerDependenciesMeta } = manifestOf(".");
    const required = Object.entries(peerDependencies).filter(([name]) => !peerDependenciesMeta[name]?.optional);
    const plugin = manifestOf("plugin");
    expect(plugin.version).to.equal(version);
    expect(plugin.dependencies).to.deep.equal({ ...Object.fromEntries(required), "pulumi-websocket-relay": version });
  });
});
