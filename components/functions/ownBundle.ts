import { type BuildOptions, build as esbuild, type Plugin, transform } from "esbuild";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { asOneMessage } from "../args/refuse";
import { buildProblem } from "../lambda/buildProblem";
import type { CallbackFunctionArgs } from "../lambda/callbackFunction";
import { serializeCallback } from "../lambda/serialize";
import { shipped } from "../lambda/shipped";

/** A callback of the component itself, as opposed to a user's. */
export interface OwnCallback {
  /** The one module that `factory` requires, as written there: relative to this folder. */
  module: string;
  factory: CallbackFunctionArgs["callbackFactory"];
  /** Whether the function publishes receipts if the relay has them: its module then has a build with receipts and one without. */
  publishesReceipts?: boolean;
}

/** One build of a module: the package carries each, bundled. */
export interface OwnBuild {
  /** See {@link OwnCallback.module}. */
  module: string;
  /** Whether it contains the client of the receipts' topic. */
  withReceipts: boolean;
}

/** Every build of the callback's module. */
export function buildsOf({ module, publishesReceipts = false }: OwnCallback): OwnBuild[] {
  const withoutReceipts = { module, withReceipts: false };
  return publishesReceipts ? [withoutReceipts, { module, withReceipts: true }] : [withoutReceipts];
}

/**
 * The text of a CommonJS module that exports the handler.
 *
 * The serialized callback contains `with`, so it can only be sloppy CommonJS; and esbuild cannot shake a module that CommonJS
 * requires. So the module is bundled on its own, as an ES module: that makes the bundle a fifth smaller.
 */
export async function bundleOwn({ module, factory }: OwnCallback, withReceipts: boolean): Promise<string> {
  const [callbackText, moduleText] = await Promise.all([
    serializeCallback(factory, true),
    moduleBundle({ module, withReceipts }).catch((error: unknown) => {
      const message = `the relay's own functions cannot be bundled: ${buildProblem(error as Error)}. Fix: install the package again`;
      throw asOneMessage(new Error(message, { cause: error }));
    }),
  ]);
  const id = JSON.stringify(module);
  if (!callbackText.includes(`require(${id})`)) {
    const [, required = "nothing"] = /\brequire\(("[^"]*")\)/.exec(callbackText) ?? [];
    throw new Error(
      `a callback declares the module ${id}, but its factory requires ${required}. Fix: name the same module in both`,
    );
  }
  const program = `
    const bundled = ((module) => { ${moduleText}\n return module.exports; })({ exports: {} });
    ((require) => { ${callbackText} })((id) => (id === ${id} ? bundled : require(id)));
  `;
  return (await transform(program, { ...shipped, format: "cjs" })).code;
}

/**
 * Where the package keeps a build, relative to this folder. A consumer's install may resolve other versions of the
 * pinned packages' own dependencies, and one release must ship the same functions everywhere.
 */
export function builtFile({ module, withReceipts }: OwnBuild): string {
  return `${module}${withReceipts ? ".receipts" : ""}.bundle.js`;
}

/** Own modules do not change while a program runs: a second relay reuses the bundles of the first. */
const bundles = new Map<string, Promise<string>>();

async function moduleBundle(build: OwnBuild): Promise<string> {
  const file = resolve(__dirname, builtFile(build));
  // In the package, whose sources are not published.
  if (!existsSync(`${resolve(__dirname, build.module)}.ts`)) return readFileSync(file, "utf8");
  const known = bundles.get(file);
  if (known) return known;
  const bundling = bundleModule(build);
  bundles.set(file, bundling);
  // The caller gets the failure; the next caller may try again.
  bundling.catch(() => bundles.delete(file));
  return bundling;
}

/** The text of a CommonJS module: the build's module with everything that it imports. */
export async function bundleModule({ module, withReceipts }: OwnBuild): Promise<string> {
  const options: BuildOptions = {
    ...shipped,
    entryPoints: [resolve(__dirname, module)],
    platform: "node",
    format: "cjs",
    // ESM builds of the SDK first: only they can be shaken.
    mainFields: ["module", "main"],
    alias: {
      "@aws-sdk/credential-provider-node": resolve(handlersFolder, "lambdaCredentials"),
      "@aws-sdk/endpoint-cache": resolve(handlersFolder, "noEndpointCache"),
      "@aws/lambda-invoke-store": resolve(handlersFolder, "lambdaInvokeStore"),
    },
    plugins: [
      versionOnly,
      calledSchemasOnly,
      unlistedRegions,
      nodeHashesOnly,
      standardRetriesOnly,
      requestSignaturesOnly,
      ...(withReceipts ? [] : [withoutReceipts]),
    ],
  };
  // Every client can `import()` this module, and esbuild would then neither shake nor hoist the code that it shares with the
  // rest: a tenth of a bundle and of its load time. A client that uses event streams also imports it by a statement.
  const lean = await build({ ...options, external: [eventStreams] });
  const hasEventStreams = lean.imports.some(({ path, kind }) => path === eventStreams && kind !== "dynamic-import");
  const { text } = hasEventStreams ? await build(options) : lean;
  return text;
}

async function build(options: BuildOptions): Promise<{ text: string; imports: { path: string; kind: string }[] }> {
  const result = await esbuild({ ...options, bundle: true, write: false, metafile: true, logLevel: "silent" });
  const imports = Object.values(result.metafile.outputs).flatMap((output) => output.imports);
  return { text: result.outputFiles.map((file) => file.text).join("\n"), imports };
}

const handlersFolder = resolve(__dirname, "../../handlers");
const eventStreams = "@smithy/core/event-streams";

/** The SNS client is a tenth of a bundle: a function that publishes no receipts is built without it. */
const withoutReceipts: Plugin = {
  name: "without-receipts",
  setup(building) {
    building.onResolve({ filter: /\/receipts\/snsReceipts$/ }, () => ({
      path: resolve(handlersFolder, "receipts/noReceipts.ts"),
    }));
  },
};

/** An SDK client imports its whole package.json for the version in its user agent: 2 kB of each client. */
const versionOnly: Plugin = {
  name: "version-only",
  setup(building) {
    building.onLoad({ filter: /[\\/]@aws-sdk[\\/]client-[\w-]+[\\/]package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
      return { contents: JSON.stringify({ version }), loader: "json" };
    });
  },
};

/**
 * An SDK client registers a class for each error of its service, those of operations that are never called too: 2 to 3 kB of a
 * client. An error without a class is of the client's base class and named by the service's code, with the same message and
 * `$metadata`.
 *
 * Its schemas have computed keys, `{ [_e]: _c }`, which esbuild keeps as they might have side effects, and with them each schema
 * that has one: 1 to 2 kB of a client. With the keys themselves only the schemas of the commands that are sent are left.
 */
const calledSchemasOnly: Plugin = {
  name: "called-schemas-only",
  setup(building) {
    building.onLoad({ filter: /[\\/]@aws-sdk[\\/]client-[\w-]+[\\/]dist-es[\\/]schemas[\\/]\w+\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const constants = new Map(
        [...text.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, value]) => [name, value]),
      );
      const contents = text
        .replace(/^n0_registry\.registerError\(.*\);$/gm, "")
        .replace(/\[(_\w+)\]:/g, (_, name: string) => `${constants.get(name) ?? `[${name}]`}:`);
      return { contents };
    });
  },
};

/**
 * The SDK lists the regions of each partition with a description, which nothing reads. A region that matches its partition's
 * expression needs no entry: 1 kB of a bundle.
 */
const unlistedRegions: Plugin = {
  name: "unlisted-regions",
  setup(building) {
    building.onLoad({ filter: /[\\/]util-endpoints[\\/]lib[\\/]aws[\\/]partitions\.js$/ }, ({ path }) => {
      const [, json = ""] = /^export const partitionsInfo = (\{[^]*\});\s*$/.exec(readFileSync(path, "utf8")) ?? [];
      const { partitions } = JSON.parse(json) as { partitions: Partition[] };
      const lean = partitions.map((partition) => ({ ...partition, regions: unmatchedRegions(partition) }));
      return { contents: `export const partitionsInfo = ${JSON.stringify({ partitions: lean })};` };
    });
  },
};

interface Partition {
  regionRegex: string;
  regions: Record<string, object>;
}

/** Such as `aws-global`. */
function unmatchedRegions({ regionRegex, regions }: Partition): Record<string, object> {
  const matches = new RegExp(regionRegex);
  return Object.fromEntries(
    Object.keys(regions)
      .filter((region) => !matches.test(region))
      .map((region) => [region, {}]),
  );
}

/** The SDK's hashes fall back to JavaScript where Node's own are missing, which Lambda's Node has: 2 kB of a bundle. */
const nodeHashesOnly: Plugin = {
  name: "node-hashes-only",
  setup(building) {
    building.onResolve({ filter: /^\.\/(Sha256|Md5)Js$/ }, () => ({
      path: resolve(handlersFolder, "nodeHashesOnly.ts"),
    }));
  },
};

/** Every client can also retry adaptively, which none of ours does: 1 kB of a bundle. */
const standardRetriesOnly: Plugin = {
  name: "standard-retries-only",
  setup(building) {
    building.onLoad({ filter: /[\\/]util-retry[\\/]AdaptiveRetryStrategy\.js$/ }, () => ({
      contents: 'export { StandardRetryStrategy as AdaptiveRetryStrategy } from "./StandardRetryStrategy";',
    }));
  },
};

/** The SDK can also sign the events of streams, which none of our clients sends: 1 kB of a bundle. */
const requestSignaturesOnly: Plugin = {
  name: "request-signatures-only",
  setup(building) {
    building.onLoad({ filter: /[\\/]signature-v4[\\/]dist-es[\\/]HeaderFormatter\.js$/ }, () => ({
      contents: "export class HeaderFormatter {}",
    }));
  },
};
