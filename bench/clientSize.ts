import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

/** Bytes of the client library, minified and gzipped. */
export function clientBytes(): number {
  const { outputFiles } = buildSync({
    entryPoints: [join(__dirname, "../client/index.ts")],
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    write: false,
  });
  const [bundle] = outputFiles;
  if (!bundle) throw new Error("esbuild built nothing");
  return gzipSync(bundle.contents).length;
}
