import { isBuiltin } from "node:module";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type BuildOptions, build as esbuild, stop, transform } from "esbuild";

/**
 * The text of a CommonJS module that exports `handler`: what `callbackFactory` returns, with every module that it reaches
 * by `require`. The same program gives the same text on every machine, so an unchanged function has an unchanged hash.
 *
 * Rejects where the callback captures what cannot be serialized, or where a module cannot be found.
 */
export async function bundle(callbackFactory: () => unknown): Promise<string> {
  underWay += 1;
  try {
    return await serializeAndBundle(callbackFactory);
  } finally {
    underWay -= 1;
    // esbuild would keep a process of 100 MB for as long as the program runs.
    if (underWay === 0) await stop();
  }
}

let underWay = 0;

async function serializeAndBundle(callbackFactory: () => unknown): Promise<string> {
  const { text } = await pulumi.runtime.serializeFunction(callbackFactory, {
    isFactoryFunction: true,
    exportName: "handler",
  });
  const program = `
    const bundled = (() => {
      const module = { exports: {} };
      ${await bundleModules(await requiredModules(text))}
      return module.exports.default;
    })();
    ((require) => { ${text} })((id) => (id in bundled ? bundled[id] : require(id)));
  `;
  return (await transform(program, { ...shipped, format: "cjs" })).code;
}

/**
 * The serialized text contains `with`, so it can be nothing but sloppy CommonJS; and what CommonJS requires, esbuild
 * cannot shake. So the modules are bundled on their own, imported by an ES module: that makes the bundles a fifth smaller.
 */
async function bundleModules(paths: string[]): Promise<string> {
  const imports = paths.map((path, index) =>
    // A package may be CommonJS, whose exports need not be an object.
    path.startsWith(".")
      ? `import * as module${index} from ${JSON.stringify(path)};`
      : `const module${index} = require(${JSON.stringify(path)});`,
  );
  const entries = paths.map((path, index) => `${JSON.stringify(path)}: module${index}`);
  const options: BuildOptions = {
    ...shipped,
    stdin: { contents: `${imports.join("\n")}\nexport default { ${entries.join(", ")} };`, resolveDir: __dirname },
    platform: "node",
    format: "cjs",
    // ESM builds of the SDK first: only they can be shaken.
    mainFields: ["module", "main"],
    alias: { "@aws-sdk/credential-provider-node": lambdaCredentials },
  };
  // Every client can `import()` this, and whatever it shares with the rest would then be neither shaken nor hoisted: a
  // tenth of a bundle and of its load time. A client that has event streams also imports it by a statement.
  const lean = await build({ ...options, external: [eventStreams] });
  const hasEventStreams = lean.imports.some(({ path, kind }) => path === eventStreams && kind !== "dynamic-import");
  const { text } = hasEventStreams ? await build(options) : lean;
  return text;
}

/** The modules that the text requires and Node does not have itself, in the order of their first use. */
async function requiredModules(text: string): Promise<string[]> {
  const { imports } = await build({ stdin: { contents: text }, external: ["*"], platform: "node", format: "cjs" });
  const dynamic = imports.find(({ kind }) => kind === "dynamic-import");
  if (dynamic) {
    throw new Error(`a callback may not import(${JSON.stringify(dynamic.path)}): reach the module by require`);
  }
  return [...new Set(imports.map(({ path }) => path))].filter((path) => !isBuiltin(path));
}

async function build(options: BuildOptions): Promise<{ text: string; imports: { path: string; kind: string }[] }> {
  const result = await esbuild({ ...options, bundle: true, write: false, metafile: true, logLevel: "silent" });
  const imports = Object.values(result.metafile.outputs).flatMap((output) => output.imports);
  return { text: result.outputFiles.map((file) => file.text).join("\n"), imports };
}

const eventStreams = "@smithy/core/event-streams";

const shipped = { minify: true, target: "node20", legalComments: "none" } as const;

// `require.resolve` finds the file with the extension it has here: .ts in the repository, .js where it was compiled.
const lambdaCredentials = require.resolve(resolve(__dirname, "../handlers/lambdaCredentials"));
