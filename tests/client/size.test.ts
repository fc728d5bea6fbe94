import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { buildSync } from "esbuild";

/** 7.0 kB. */
const MAX_BYTES = 7_168;

describe("the client's size", () => {
  it(`is at most ${MAX_BYTES} bytes, minified and gzipped`, () => {
    const { outputFiles } = buildSync({
      entryPoints: [join(__dirname, "../../client/index.ts")],
      bundle: true,
      format: "esm",
      platform: "browser",
      minify: true,
      write: false,
    });
    const bytes = gzipSync(outputFiles[0]?.contents ?? "").length;
    expect(bytes, `${bytes} bytes`).to.be.within(1_000, MAX_BYTES);
  });
});
