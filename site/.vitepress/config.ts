import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";
import { slug } from "github-slugger";
import { defineConfig, type MarkdownRenderer, type SiteConfig } from "vitepress";
import { problemsOfSite } from "../builtSite.ts";
import { pagesWithoutEntry, pageUrl, type ReferenceEntry, sidebarOf, sitePath } from "../contents.ts";
import { browsableUrl, type Repository, siteLink } from "../links.ts";

const site = process.cwd();
const root = resolve(site, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const { description, repository: repositoryField } = JSON.parse(read("package.json")) as {
  description: string;
  repository?: string;
};
const files = [
  ...markdownIn("docs"),
  ...["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].filter((file) => existsSync(join(root, file))),
  ...markdownIn("site/reference"),
];
const sidebar = sidebarOf(files, titleOf, JSON.parse(read("site/reference/navigation.json")) as ReferenceEntry[]);
const repository: Repository = {
  pages: new Map(files.map((file) => [file, pageUrl(file)])),
  exists: (path) => existsSync(join(root, path)),
  url: browsableUrl(repositoryField),
};

export default defineConfig({
  title: "pulumi-websocket-relay",
  description,
  // It can be served from any path.
  base: "./",
  lang: "en",
  head: [["link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(read("local/page/icon.svg"))}` }]],
  // The repository itself, so that pages link to each other, and to files, as they do on GitHub.
  srcDir: "..",
  srcExclude: ["!(docs|site)/**/*", "!(CHANGELOG|CONTRIBUTING|SECURITY).md", "site/!(reference)/**", "site/*.md"],
  rewrites: sitePath,
  markdown: {
    // Anchors as on GitHub, and none of what GitHub shows as text.
    anchor: { slugify: slug },
    attrs: false,
    emoji: false,
    config: (markdown) => {
      linkAsRepository(markdown);
      drawMermaid(markdown);
      showBraces(markdown);
    },
  },
  themeConfig: {
    nav: [
      { text: "Guide", link: "/" },
      { text: "API reference", link: "/reference/" },
      { text: "Changelog", link: "/changelog" },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: "local" },
    ...(repository.url === undefined ? {} : { socialLinks: [{ icon: "github", link: repository.url }] }),
  },
  buildEnd: check,
  vite: {
    resolve: {
      // Pages lie outside of this folder, where there is no Vue.
      alias: ["vue/server-renderer", "vue"].map((name) => ({
        find: new RegExp(`^${name}$`),
        replacement: createRequire(join(site, "package.json")).resolve(name),
      })),
    },
    plugins: [
      {
        // VitePress's own dependencies, which it looks for among the repository's. The server finds them when they are used.
        name: "site:no-early-dependencies",
        enforce: "post",
        config: ({ optimizeDeps }) => void delete optimizeDeps?.include,
      },
    ],
    // Mermaid's, which a page loads when it has a diagram.
    build: { chunkSizeWarningLimit: 2_000 },
  },
});

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);
}

function titleOf(file: string): string {
  return /^# (.*)$/m.exec(read(file))?.[1]?.replaceAll("`", "") ?? file;
}

/** Replaces links from file to file by links from page to page. */
function linkAsRepository(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("repository_links", (state) => {
    const env = state.env as { path: string; realPath?: string };
    const file = relative(root, env.realPath ?? env.path);
    for (const token of state.tokens) {
      let isShown = true;
      token.children =
        token.children?.filter((child) => {
          if (child.type === "link_close") {
            const wasShown = isShown;
            isShown = true;
            return wasShown;
          }
          if (child.type !== "link_open") return true;
          const href = siteLink(child.attrGet("href") ?? "", file, repository);
          isShown = href !== undefined;
          child.attrSet("href", href ?? "");
          return isShown;
        }) ?? null;
    }
  });
}

function drawMermaid(markdown: MarkdownRenderer): void {
  const fence = markdown.renderer.rules.fence;
  markdown.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info = "", content = "" } = tokens[index] ?? {};
    if (info.trim() === "mermaid") return `<Mermaid source="${encodeURIComponent(content)}" />`;
    return fence?.(tokens, index, options, env, self) ?? "";
  };
}

/** Vue takes `{{` for the start of an expression, in prose too. */
function showBraces(markdown: MarkdownRenderer): void {
  const text = markdown.renderer.rules.text;
  markdown.renderer.rules.text = (...args) => text?.(...args).replaceAll("{{", "&#123;&#123;") ?? "";
}

function check({ pages, outDir }: SiteConfig): void {
  const built = readdirSync(outDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const problems = [
    ...pagesWithoutEntry(pages, sidebar),
    ...problemsOfSite(
      new Map(
        built.map((file) => [relative(outDir, file), /\.(html|css)$/.test(file) ? readFileSync(file, "utf8") : ""]),
      ),
    ),
  ];
  if (problems.length > 0) throw new Error(`the site:\n${problems.map((problem) => `- ${problem}`).join("\n")}`);
}
