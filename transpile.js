const { createHash } = require("node:crypto");
const { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { enableCompileCache, SourceMap } = require("node:module");
const { join, relative } = require("node:path");

// `node -r ./transpile FILE.ts` runs TypeScript without type checks, in a third of the CPU time of ts-node:
// - A local run loads 180 modules, and the tests start many local runs: compiled files are cached for all processes.
// - Pulumi reads an error's stack for each promise. ts-node and Node's --enable-source-maps map each of these stacks to
//   lines of TypeScript, which takes longer than the rest of the program. Here, Pulumi's own stacks are not mapped.

const tsconfig = join(__dirname, "tsconfig.json");
const folder = join(__dirname, "node_modules/.cache/transpile");
const version = hashOf(readFileSync(__filename), readFileSync(tsconfig), require("typescript/package.json").version);
const canCache = createFolder();
// Node 22 and later also cache V8's compiled code.
if (canCache) enableCompileCache?.(join(folder, "v8"));

/** The JavaScript of each loaded file; its source map after the first error whose stack includes the file. */
const loaded = new Map();

require.extensions[".ts"] = (module, filename) => {
  const javaScript = javaScriptOf(filename);
  loaded.set(filename, javaScript);
  module._compile(javaScript, filename);
};

function javaScriptOf(filename) {
  const source = readFileSync(filename, "utf8");
  // By the path in the repository, so that a copy that links these node_modules shares the cache. Each file has one entry;
  // files elsewhere, such as those that tests write, would add entries without end.
  const path = relative(__dirname, filename);
  if (!canCache || path.startsWith("..")) return transpiled(source, filename);

  const file = join(folder, hashOf(path));
  const [key, ...lines] = read(file).split("\n");
  const cached = lines.join("\n");
  if (key === hashOf(version, source, cached)) return cached;
  const javaScript = transpiled(source, filename);
  write(file, `${hashOf(version, source, javaScript)}\n${javaScript}`);
  return javaScript;
}

/** Whether files can be cached: node_modules may be read-only. */
function createFolder() {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Writes a file that other processes read and write at the same time. A full disk only costs the cache entry. */
function write(file, text) {
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}

function hashOf(...parts) {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

let compilerOptions;
const formatHost = {
  getCanonicalFileName: (file) => file,
  getCurrentDirectory: () => __dirname,
  getNewLine: () => "\n",
};

function transpiled(source, fileName) {
  const ts = require("typescript");
  compilerOptions ??= {
    ...ts.convertCompilerOptionsFromJson(ts.readConfigFile(tsconfig, ts.sys.readFile).config.compilerOptions, __dirname)
      .options,
    // Not a rule for files elsewhere, such as those that tests write.
    rootDir: undefined,
    sourceMap: false,
    inlineSourceMap: true,
  };
  const { outputText, diagnostics } = ts.transpileModule(source, {
    fileName,
    compilerOptions,
    reportDiagnostics: true,
  });
  if (diagnostics.length > 0) throw new SyntaxError(ts.formatDiagnostics(diagnostics, formatHost));
  return outputText;
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
