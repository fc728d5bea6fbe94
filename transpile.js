const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { enableCompileCache, SourceMap } = require("node:module");
const { join, relative } = require("node:path");

// `node -r ./transpile FILE.ts` runs TypeScript as ts-node does without type checks, in a third of its CPU time:
// - A local run is 180 modules, and the tests start many: what TypeScript makes of a file is kept, for every process.
// - Pulumi reads the stack of an error for each promise. Where TypeScript's lines are put into those, as ts-node and Node's
//   --enable-source-maps do, that takes longer than all else in a program.

const tsconfig = join(__dirname, "tsconfig.json");
const folder = join(__dirname, "node_modules/.cache/transpile");
const version = hashOf(readFileSync(__filename), readFileSync(tsconfig), require("typescript/package.json").version);
mkdirSync(folder, { recursive: true });
// From Node 22 on, V8 keeps what it compiles, too.
enableCompileCache?.(join(folder, "v8"));

/** The JavaScript of each file that was loaded, or its source map, once an error's stack has gone through it. */
const loaded = new Map();

require.extensions[".ts"] = (module, filename) => {
  const javaScript = javaScriptOf(filename);
  loaded.set(filename, javaScript);
  module._compile(javaScript, filename);
};

function javaScriptOf(filename) {
  const source = readFileSync(filename, "utf8");
  const key = `${hashOf(version, source)}\n`;
  // By its path in the repository: a copy that links these node_modules finds it, too. Tests write others into folders of any name.
  const path = relative(__dirname, filename);
  const file = join(folder, hashOf(path.startsWith("..") ? source : path));
  const kept = read(file);
  if (kept.startsWith(key)) return kept.slice(key.length);

  const javaScript = transpiled(source, filename);
  // Other processes read and write it, too.
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, key + javaScript);
  renameSync(temporary, file);
  return javaScript;
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function hashOf(...parts) {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

let compilerOptions;

function transpiled(source, fileName) {
  const ts = require("typescript");
  compilerOptions ??= {
    ...ts.convertCompilerOptionsFromJson(ts.readConfigFile(tsconfig, ts.sys.readFile).config.compilerOptions, __dirname)
      .options,
    sourceMap: false,
    inlineSourceMap: true,
  };
  return ts.transpileModule(source, { fileName, compilerOptions }).outputText;
}

Error.prepareStackTrace = (error, frames) => {
  const isPulumis = frames[0]?.getFileName()?.includes("/node_modules/@pulumi/pulumi/");
  return [errorToString(error), ...(isPulumis ? frames : frames.map(inTypeScript))].join("\n    at ");
};

function errorToString(error) {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "<error>";
  }
}

function inTypeScript(frame) {
  const file = frame.getFileName();
  const map = sourceMapOf(file);
  if (!map) return frame;
  const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()];
  const { originalLine, originalColumn } = map.findEntry(line - 1, column - 1);
  if (originalLine === undefined) return frame;
  return String(frame).replace(`${file}:${line}:${column}`, `${file}:${originalLine + 1}:${originalColumn + 1}`);
}

function sourceMapOf(file) {
  const known = loaded.get(file);
  if (typeof known !== "string") return known;
  const base64 = known.slice(known.lastIndexOf(",") + 1);
  const map = new SourceMap(JSON.parse(Buffer.from(base64, "base64")));
  loaded.set(file, map);
  return map;
}
