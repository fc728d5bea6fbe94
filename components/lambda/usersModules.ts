import { build, type OnResolveArgs, type OnResolveResult, type Plugin, type PluginBuild } from "esbuild";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { shipped } from "./shipped";

/** `text`, a user's serialized callback, bundled with the modules that it requires, resolved from `requireFrom`. */
export async function withUsersModules(text: string, requireFrom: string): Promise<string> {
  const folder = resolve(requireFrom);
  const { outputFiles } = await build({
    ...shipped,
    stdin: { contents: text, resolveDir: folder, sourcefile: "callback" },
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    // The files that Node's own `require` would load, not builds for bundlers, whose exports may differ.
    mainFields: ["main", "module"],
    conditions: [],
    plugins: [packagesFrom(folder)],
    logLevel: "silent",
  });
  return outputFiles.map((file) => file.text).join("\n");
}

const tried = { tried: true };

/** Finds packages that Node can load, or Pulumi has already loaded, but esbuild alone cannot. */
function packagesFrom(folder: string): Plugin {
  return {
    name: "packages",
    setup(building) {
      building.onResolve({ filter: /^[^./]|^\.pnpm\// }, async (args) => {
        if (args.pluginData === tried) return undefined;
        const found = await find(building, args);
        if (found) return found;
        // An ES module may be required too. https://nodejs.org/api/modules.html#loading-ecmascript-modules-using-require
        const asModule = await find(building, { ...args, kind: "import-statement" });
        if (asModule) return asModule;
        // Pulumi writes a captured module as its file's path, whether or not the package exports that.
        const isCaptured = args.importer === join(folder, "callback");
        const file = isCaptured ? fileOf(args.path, folder) : undefined;
        return file === undefined ? undefined : { path: file };
      });
    },
  };
}

async function find(building: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult | undefined> {
  const { importer, namespace, resolveDir, kind } = args;
  const options = { importer, namespace, resolveDir, kind, pluginData: tried };
  const { errors, ...found } = await building.resolve(args.path, options);
  return errors.length > 0 ? undefined : found;
}

/** The file of that path in the node_modules of `folder`, or of a folder above it. */
function fileOf(path: string, folder: string): string | undefined {
  const file = join(folder, "node_modules", path);
  if (existsSync(file)) return file;
  return dirname(folder) === folder ? undefined : fileOf(path, dirname(folder));
}
