import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

export interface PageAsset {
  contentType: string;
  body: string;
}

const folder = join(__dirname, "../page");
const docsFolder = join(__dirname, "../../docs");

/**
 * The page's files by their paths; its script is bundled with the client library, out of the sources. The docs are served as
 * they are, so that the page's links need no network.
 */
export async function pageAssets(): Promise<ReadonlyMap<string, PageAsset>> {
  const file = async (name: string, contentType: string, from = folder): Promise<PageAsset> => ({
    contentType: `${contentType}; charset=utf-8`,
    body: await readFile(join(from, name), "utf8"),
  });
  const pages = (await readdir(docsFolder)).filter((name) => name.endsWith(".md"));
  const docs = await Promise.all(pages.map((name) => file(name, "text/plain", docsFolder)));
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
    ...pages.map((name, at) => [`/docs/${name}`, docs[at] as PageAsset] as const),
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
