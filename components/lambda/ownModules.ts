import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type BuildOptions, build as esbuild, transform } from "esbuild";
import { shipped } from "./shipped";

/** The folder that the component's own callbacks are written in, and that their `require`s resolve from. */
export const functionsFolder = resolve(__dirname, "../functions");

/**
 * `text`, a serialized callback of the component itself, with the modules that it requires.
 *
 * It contains `with`, so it can be nothing but sloppy CommonJS; and what CommonJS requires, esbuild cannot shake. So the
 * modules are bundled on their own, out of ES modules: that makes the bundles a fifth smaller.
 */
export async function withOwnModules(text: string): Promise<string> {
  const paths = await requiredModules(text);
  const modules = await Promise.all(
    paths.map(async (path) => {
      const moduleText = builtWithPackage(path) ?? (await bundledModule(path));
      return `${JSON.stringify(path)}: ((module) => { ${moduleText}\n return module.exports; })({ exports: {} }),`;
    }),
  );
  const program = `
    const bundled = { ${modules.join("\n")} };
    ((require) => { ${text} })((id) => (id in bundled ? bundled[id] : require(id)));
  `;
  return (await transform(program, { ...shipped, format: "cjs" })).code;
}

/** Own modules do not change while a program runs: a second relay in it ships what the first one bundled. */
const bundledModules = new Map<string, Promise<string>>();

function bundledModule(path: string): Promise<string> {
  const known = bundledModules.get(path);
  if (known) return known;
  const bundling = bundleModule(path);
  bundledModules.set(path, bundling);
  // A failure is for whoever asked; the next one may try again.
  bundling.catch(() => bundledModules.delete(path));
  return bundling;
}

/** The text of a CommonJS module: the one at `path`, relative to {@link functionsFolder}, with all that it imports. */
export async function bundleModule(path: string): Promise<string> {
  const options: BuildOptions = {
    ...shipped,
    entryPoints: [resolve(functionsFolder, path)],
    platform: "node",
    format: "cjs",
    // ESM builds of the SDK first: only they can be shaken.
    mainFields: ["module", "main"],
    alias: { "@aws-sdk/credential-provider-node": resolve(__dirname, "../../handlers/lambdaCredentials") },
  };
  // Every client can `import()` this, and whatever it shares with the rest would then be neither shaken nor hoisted: a
  // tenth of a bundle and of its load time. A client that has event streams also imports it by a statement.
  const lean = await build({ ...options, external: [eventStreams] });
  const hasEventStreams = lean.imports.some(({ path, kind }) => path === eventStreams && kind !== "dynamic-import");
  const { text } = hasEventStreams ? await build(options) : lean;
  return text;
}

/**
 * Where the package keeps a module as it was bundled when the package was built: a consumer's install may hold other
 * versions of what the pinned packages depend on, and the same release is to ship the same functions everywhere.
 */
export function builtFile(path: string): string {
  return `${path}.bundle.js`;
}

function builtWithPackage(path: string): string | undefined {
  const file = resolve(functionsFolder, builtFile(path));
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/** The modules that the text requires, in the order of their first use. */
async function requiredModules(text: string): Promise<string[]> {
  const { imports } = await build({ stdin: { contents: text }, external: ["*"], platform: "node", format: "cjs" });
  const dynamic = imports.find(({ kind }) => kind === "dynamic-import");
  if (dynamic) {
    throw new Error(`a callback may not import(${JSON.stringify(dynamic.path)}): reach the module by require`);
  }
  return [...new Set(imports.map(({ path }) => path))].filter((path) => path.startsWith("."));
}

async function build(options: BuildOptions): Promise<{ text: string; imports: { path: string; kind: string }[] }> {
  const result = await esbuild({ ...options, bundle: true, write: false, metafile: true, logLevel: "silent" });
  const imports = Object.values(result.metafile.outputs).flatMap((output) => output.imports);
  return { text: result.outputFiles.map((file) => file.text).join("\n"), imports };
}

const eventStreams = "@smithy/core/event-streams";
