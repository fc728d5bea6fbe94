import { spawnSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build as bundle, stop } from "esbuild";
import { ownCallbacks } from "./components/functions/ownCallbacks";
import { buildsOf, builtFile, bundleModule } from "./components/functions/ownBundle";
import { bundleModules, writePublishables } from "./packaging/publishable";

// `npm run build`: what the npm package is made of, into dist; into dist-packages the ones for clients and for backends alone.

async function build(): Promise<void> {
  const dist = join(__dirname, "dist");
  rmSync(dist, { recursive: true, force: true });
  const tsc = [require.resolve("typescript/bin/tsc"), "-p", "tsconfig.build.json"];
  const { status } = spawnSync(process.execPath, tsc, { cwd: __dirname, stdio: "inherit" });
  // It has said why.
  if (status !== 0) process.exit(status ?? 1);
  for (const each of ownCallbacks.flatMap(buildsOf)) {
    // From the sources: tsc emits CommonJS, which esbuild cannot shake.
    writeFileSync(join(dist, "components", "functions", builtFile(each)), await bundleModule(each));
  }
  // Besides the CommonJS that tsc made of them, each as one ES module, which browsers and bundlers need. The backend's
  // CommonJS, too: what tsc made of it requires ES modules.
  await bundleModules("client", "neutral", join(dist, "client"), ["esm"]);
  await bundleModules("protocol", "neutral", join(dist, "protocol"), ["esm"]);
  await bundleModules("backend", "node", join(dist, "backend"), ["esm", "cjs"]);
  await bundleModules("agUi", "neutral", join(dist, "agUi"), ["esm"]);
  await bundleVerifier(join(dist, "verifier"));
  await writePublishables(join(__dirname, "dist-packages"), dist);
  // npm sets it when it installs a package, and not when npx runs this folder's own.
  chmodSync(join(dist, "cli", "index.js"), 0o755);
  await stop();
}

/**
 * The verifier as one CommonJS module, in the place of what tsc made of it: a callback that requires it is bundled with less of
 * both libraries. esbuild tree-shakes what is imported, and nothing that is required.
 */
async function bundleVerifier(folder: string): Promise<void> {
  await bundle({
    entryPoints: [join(__dirname, "verifier", "index.ts")],
    outfile: join(folder, "index.js"),
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    mainFields: ["module", "main"],
  });
}

void build();
