import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

export interface PageAsset {
  contentType: string;
  body: string;
}

const folder = join(__dirname, "page");

/** The page's files by their paths; its script is bundled with the client library, out of the sources. */
export async function pageAssets(): Promise<ReadonlyMap<string, PageAsset>> {
  const file = async (name: string, contentType: string): Promise<PageAsset> => ({
    contentType: `${contentType}; charset=utf-8`,
    body: await readFile(join(folder, name), "utf8"),
  });
  const [html, css, icon, script] = await Promise.all([
    file("index.html", "text/html"),
    file("page.css", "text/css"),
    file("icon.svg", "image/svg+xml"),
    bundled("page.ts"),
  ]);
  return new Map([
    ["/", html],
    ["/page.css", css],
    ["/icon.svg", icon],
    ["/page.js", { contentType: "text/javascript; charset=utf-8", body: script }],
  ]);
}

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, entry)],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    logLevel: "silent",
    // Its own compiler options: a browser's library, and nothing of Node.
    tsconfig: join(folder, "tsconfig.json"),
  });
  return outputFiles[0]?.text ?? "";
}
