const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

// `node -r ./typescript FILE.ts`: lets Node load TypeScript, as `ts-node` with transpileOnly does, and keeps what it emits. A
// local run is 230 modules of TypeScript, and the tests start 100: compiling them anew took two thirds of a process's start.

const tsconfig = join(__dirname, "tsconfig.json");
const folder = join(__dirname, "node_modules/.cache/typescript");
const version = createHash("sha1")
  .update(readFileSync(__filename))
  .update(readFileSync(tsconfig))
  .update(require("typescript/package.json").version)
  .digest("hex");

mkdirSync(folder, { recursive: true });
process.setSourceMapsEnabled(true);

require.extensions[".ts"] = (module, filename) => module._compile(javaScriptOf(filename), filename);

/** @param {string} filename */
function javaScriptOf(filename) {
  const source = readFileSync(filename, "utf8");
  const key = `// ${createHash("sha1").update(version).update(source).digest("hex")}\n`;
  const kept = join(folder, `${createHash("sha1").update(filename).digest("hex")}.js`);
  const before = read(kept);
  if (before?.startsWith(key)) return before.slice(key.length);

  const javaScript = transpiled(filename, source);
  // Other processes write it at the same time, and read it.
  const temporary = `${kept}.${process.pid}`;
  writeFileSync(temporary, key + javaScript);
  renameSync(temporary, kept);
  return javaScript;
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

let options;

/** @param {string} fileName @param {string} source */
function transpiled(fileName, source) {
  const ts = require("typescript");
  options ??= {
    ...ts.parseJsonConfigFileContent(ts.readConfigFile(tsconfig, ts.sys.readFile).config, { ...ts.sys, readDirectory: () => [] }, dirname(tsconfig)).options,
    inlineSourceMap: true,
    inlineSources: true,
    sourceMap: false,
  };
  return ts.transpileModule(source, { fileName, compilerOptions: options }).outputText;
}
