import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, stop } from "esbuild";

/** The adapter of `RelayClient` as one file, so that its processes start quickly. Removed after the suite that calls this. */
export function builtAdapter(): { readonly command: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "adapter-"));
  const outfile = join(folder, "adapter.js");
  before(async () => {
    await build({ entryPoints: [join(__dirname, "adapter.ts")], outfile, bundle: true, platform: "node" });
    await stop();
  });
  after(() => rmSync(folder, { recursive: true }));
  return { command: [process.execPath, outfile] };
}
