import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { buildSync } from "esbuild";

/** 8.0 kB. It was 7.0 kB before streams: their order, their time-outs and the cursor that waits for them take 1 kB. */
const MAX_BYTES = 8_192;
/** What a program that uses `followState`, too, adds. */
const MAX_FOLLOW_STATE_BYTES = 560;

describe("the client's size", () => {
  it(`is at most ${MAX_BYTES} bytes, minified and gzipped`, () => {
    const bytes = bytesOf("RelayClient");
    expect(bytes, `${bytes} bytes`).to.be.within(1_000, MAX_BYTES);
  });

  it(`grows by at most ${MAX_FOLLOW_STATE_BYTES} bytes with followState, which costs nothing if it is not used`, () => {
    const bytes = bytesOf("RelayClient, followState") - bytesOf("RelayClient");
    expect(bytes, `${bytes} bytes`).to.be.within(100, MAX_FOLLOW_STATE_BYTES);
  });
});

/** The size of a program that imports these names of the client. */
function bytesOf(names: string): number {
  const { outputFiles } = buildSync({
    stdin: { contents: `export { ${names} } from "./client/index"`, resolveDir: join(__dirname, "../..") },
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? "").length;
}
