import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";
import * as typescript from "typescript";
import { type Deployed, type Lambda, LAMBDAS, lambdaVariables } from "./deployed";
import { median, rounded } from "./median";

export interface BundleMeasurement {
  rawBytes: number;
  zippedBytes: number;
  /** Median milliseconds of `require` in a fresh process, the handler's creation included. */
  loadMs: { bundled: number; unbundled: number };
  loadRatio: number;
}

/** A function whose bundle is measured, with its source. */
export interface Measured {
  deployed: Deployed;
  /** Under `handlers`. */
  module: string;
  factory: string;
}

/** The functions of a relay in each mode, and of one with receipts, whose functions include the topic's client. */
export interface Functions {
  retry: Record<Lambda<"retry">, Deployed>;
  replay: Record<Lambda<"replay">, Deployed>;
  replayWithReceipts: Record<Lambda<"replay">, Deployed>;
}

type Entry = Pick<Measured, "module" | "factory">;

const ENTRIES: Record<Lambda<"retry">, Entry> = {
  connect: { module: "connect/connect", factory: "connectFromEnvironment" },
  disconnect: { module: "disconnect/disconnect", factory: "disconnectFromEnvironment" },
  deliver: { module: "deliver/deliver", factory: "deliverFromEnvironment" },
};
const REPLAY_ENTRIES: Record<Exclude<Lambda<"replay">, "disconnect">, Entry> = {
  connect: { module: "connect/connectReplay", factory: "connectReplayFromEnvironment" },
  deliver: { module: "deliver/deliverReplay", factory: "deliverReplayFromEnvironment" },
  resume: { module: "frames/resume", factory: "resumeFromEnvironment" },
  acknowledge: { module: "frames/acknowledge", factory: "acknowledgeFromEnvironment" },
  expire: { module: "sweepers/historySweeper", factory: "historySweeperFromEnvironment" },
};

/**
 * Each bundle once: `disconnect` is the same in both modes. Bundles of replay mode are named `replay/…`, those with receipts
 * `…WithReceipts`: the same modules with the topic's client.
 */
export function measuredBundles({ retry, replay, replayWithReceipts }: Functions): Record<string, Measured> {
  const bundles: Record<string, Measured> = {};
  for (const lambda of LAMBDAS.retry) bundles[lambda] = { deployed: retry[lambda], ...ENTRIES[lambda] };
  for (const lambda of LAMBDAS.replay) {
    if (lambda === "disconnect") continue;
    bundles[`replay/${lambda}`] = { deployed: replay[lambda], ...REPLAY_ENTRIES[lambda] };
  }
  for (const lambda of LAMBDAS.replay) {
    if (lambda === "disconnect" || replayWithReceipts[lambda].text === replay[lambda].text) continue;
    bundles[`replay/${lambda}WithReceipts`] = { deployed: replayWithReceipts[lambda], ...REPLAY_ENTRIES[lambda] };
  }
  return bundles;
}

/** Makes the unbundled reference omit the topic's client, too. */
const WITHOUT_RECEIPTS =
  'require.cache[require.resolve("./handlers/receipts/snsReceipts")] = ' +
  '{ loaded: true, exports: require("./handlers/receipts/noReceipts") };\n';

/**
 * Size and load time of each function's archive. The load time is that of `require` with Node already running: it excludes
 * Node's own start, Lambda's runtime, the download of the archive and the first request's connections. The reference is the
 * same handler as plain CommonJS files with its packages in node_modules, on a warm file cache, which favors the reference.
 */
export async function measureBundles(
  bundles: Record<string, Measured>,
  processes: number,
): Promise<Record<string, BundleMeasurement>> {
  const folder = mkdtempSync(join(tmpdir(), "relay-bench-"));
  try {
    compileHandlers(folder);
    const measured: Record<string, BundleMeasurement> = {};
    for (const [name, bundle] of Object.entries(bundles)) {
      measured[name] = await measureBundle(name, bundle, folder, processes);
      console.error(`bench: loaded ${name} ${processes} times bundled and unbundled`);
    }
    return measured;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measureBundle(
  name: string,
  { deployed: { text, variables }, module, factory }: Measured,
  folder: string,
  processes: number,
): Promise<BundleMeasurement> {
  const bundled = join(folder, "bundles", name, "index.js");
  mkdirSync(join(bundled, ".."), { recursive: true });
  writeFileSync(bundled, text);
  const unbundled = join(folder, `${name.replace("/", "-")}.js`);
  const receipts = "RECEIPTS_TOPIC_ARN" in variables ? "" : WITHOUT_RECEIPTS;
  writeFileSync(unbundled, `${receipts}exports.handler = require("./handlers/${module}").${factory}(process.env);\n`);

  // The first load of each fills the file cache.
  await loadMs(bundled, variables);
  await loadMs(unbundled, variables);
  const times = { bundled: [] as number[], unbundled: [] as number[] };
  for (let run = 0; run < processes; run++) {
    // In turn, so that the machine's noise affects both.
    times.bundled.push(await loadMs(bundled, variables));
    times.unbundled.push(await loadMs(unbundled, variables));
  }
  const medians = { bundled: median(times.bundled), unbundled: median(times.unbundled) };
  return {
    rawBytes: Buffer.byteLength(text),
    zippedBytes: zippedBytes("index.js", text),
    loadMs: { bundled: rounded(medians.bundled, 1), unbundled: rounded(medians.unbundled, 1) },
    loadRatio: rounded(medians.bundled / medians.unbundled),
  };
}

/** Compiles the handlers and the protocol to plain CommonJS, as uploaded without a bundler and without ts-node's cost at run time. */
function compileHandlers(folder: string): void {
  const repository = resolve(__dirname, "..");
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  for (const layer of ["handlers", "protocol"]) {
    mkdirSync(join(folder, layer));
    for (const entry of readdirSync(join(repository, layer), { recursive: true })) {
      const file = String(entry);
      if (!file.endsWith(".ts")) {
        mkdirSync(join(folder, layer, file), { recursive: true });
        continue;
      }
      const { outputText } = typescript.transpileModule(readFileSync(join(repository, layer, file), "utf8"), {
        compilerOptions: {
          module: typescript.ModuleKind.CommonJS,
          target: typescript.ScriptTarget.ES2022,
          esModuleInterop: true,
        },
      });
      writeFileSync(join(folder, layer, file.replace(/\.ts$/, ".js")), outputText);
    }
  }
}

/** Milliseconds of `require(file)` in a fresh process; `file` exports the function's handler. */
async function loadMs(file: string, variables: Record<string, string>): Promise<number> {
  const script = `
    const start = performance.now();
    const { handler } = require(${JSON.stringify(file)});
    const ms = performance.now() - start;
    if (typeof handler !== "function") throw new Error("no handler");
    process.stdout.write(String(ms));
  `;
  const env = { ...lambdaVariables, ...variables };
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], { env });
  const ms = Number(stdout);
  if (!(ms > 0)) throw new Error(`${file} did not load: ${stdout}`);
  return ms;
}

/**
 * Size of a zip archive with one file: deflated, plus the fixed records around it (no extra fields, no data descriptor).
 * Level 9 of zlib; a lower level makes the archive one or two percent larger.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
function zippedBytes(fileName: string, text: string): number {
  const [localHeader, centralHeader, endOfCentralDirectory] = [30, 46, 22];
  const headers = localHeader + centralHeader + 2 * Buffer.byteLength(fileName) + endOfCentralDirectory;
  return deflateRawSync(text, { level: 9 }).length + headers;
}
