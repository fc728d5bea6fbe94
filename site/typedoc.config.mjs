import { readFileSync } from "node:fs";

const { exports } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** The sources of what the package exports: `./dist/backend/index.js` is built from `backend/index.ts`. */
const entryPoints = Object.values(exports)
  .map((entry) => /^\.\/dist\/(.*)\.js$/.exec(entry.default ?? entry)?.[1])
  .filter((source) => source !== undefined)
  .map((source) => `../${source}.ts`);

/** @type {import("typedoc").TypeDocOptions & import("typedoc-plugin-markdown").PluginOptions} */
export default {
  entryPoints,
  tsconfig: "../tsconfig.build.json",
  // `npm run lint` reports type errors.
  skipErrorChecking: true,
  // Broken links in docstrings, and types that an entry mentions without exporting them.
  treatWarningsAsErrors: true,
  excludeExternals: true,
  excludeInternal: true,
  // Pulumi's own docstrings, inherited, link to its classes.
  externalSymbolLinkMappings: { "@pulumi/pulumi": { "*": "#" } },
  disableSources: true,
  // Defaults are said in words as often as in code.
  jsDocCompatibility: { defaultTag: false },
  name: "API reference",
  readme: "none",
  navigation: { includeGroups: false, includeFolders: false },

  plugin: ["typedoc-plugin-markdown"],
  out: "reference",
  entryFileName: "index",
  navigationJson: "reference/navigation.json",
  hidePageHeader: true,
  useCodeBlocks: true,
};
