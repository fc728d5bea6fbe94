import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

/** Bytes of a program that imports `RelayClient` alone, minified and gzipped. */
export function clientBytes(): number {
  const { outputFiles } = buildSync({
    stdin: { contents: 'export { RelayClient } from "./client/index"', resolveDir: join(__dirname, "..") },
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
