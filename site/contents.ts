/** The guide's pages by their files in this repository, in the order of the sidebar. */
export const contents: Group[] = [
  {
    text: "Start",
    pages: [
      { text: "Overview", file: "docs/index.md" },
      { text: "Comparison", file: "docs/comparison.md" },
      { text: "Local run", file: "docs/local-run.md" },
      { text: "In your program", file: "docs/in-your-program.md" },
      { text: "Pulumi in other languages", file: "docs/pulumi-other-languages.md" },
      { text: "Configuration", file: "docs/configuration.md" },
    ],
  },
  {
    text: "Use",
    pages: [
      { text: "Connecting", file: "docs/connecting.md" },
      { text: "Publishing", file: "docs/publishing.md" },
      { text: "Publish from other languages", file: "docs/other-languages.md" },
      { text: "AI streaming", file: "docs/ai-streaming.md" },
      { text: "Client library", file: "docs/client.md" },
      { text: "Authentication", file: "docs/authentication.md" },
      { text: "Replay", file: "docs/replay.md" },
      { text: "Protocol", file: "docs/protocol.md" },
      { text: "Test a client", file: "docs/conformance.md" },
      { text: "Reading over HTTP", file: "docs/http-read.md" },
    ],
  },
  {
    text: "Operate",
    pages: [
      { text: "Deploying", file: "docs/deploying.md" },
      { text: "Operations and runbook", file: "docs/operations.md" },
      { text: "The command line", file: "docs/command-line.md" },
      { text: "When things fail", file: "docs/failures.md" },
      { text: "Changing a stack", file: "docs/changing-a-stack.md" },
      { text: "Security and threat model", file: "docs/security.md" },
      { text: "Capacity and cost", file: "docs/capacity-and-cost.md" },
      { text: "Measurements", file: "docs/measurements.md" },
    ],
  },
  {
    text: "Project",
    pages: [
      { text: "Changelog", file: "CHANGELOG.md" },
      { text: "Contributing", file: "CONTRIBUTING.md" },
      { text: "Reporting a vulnerability", file: "SECURITY.md" },
    ],
  },
];

/** Pages that belong together and are listed by their own titles: a new one needs no line here. */
const decisions = { text: "Decisions", folder: "docs/decisions/" };

export interface Group {
  text: string;
  pages: { text: string; file: string }[];
}

/** TypeDoc's `navigationJson`. */
export interface ReferenceEntry {
  title: string;
  path: string;
  children?: ReferenceEntry[];
}

/** As VitePress takes it. */
export interface SidebarItem {
  text: string;
  link?: string;
  collapsed?: boolean;
  items?: SidebarItem[];
}

/** Where a Markdown file of this repository is on the site: `docs/replay.md` is `replay.md`. */
export function sitePath(file: string): string {
  const names: Record<string, string> = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting-a-vulnerability.md",
  };
  return names[file] ?? file.replace(/^(docs|site)\//, "");
}

/** The address of a Markdown file's page: `docs/replay.md` is at `/replay`. */
export function pageUrl(file: string): string {
  return `/${sitePath(file).replace(/(index)?\.md$/, "")}`;
}

/**
 * @param files The site's Markdown files. An entry without a file is a dead link, which the check of the built site reports.
 * @param titleOf Reads a file's first heading.
 */
export function sidebarOf(
  files: string[],
  titleOf: (file: string) => string,
  reference: ReferenceEntry[],
): SidebarItem[] {
  const groups = contents.map(({ text, pages }) => ({
    text,
    items: pages.map((page) => ({ text: page.text, link: pageUrl(page.file) })),
  }));
  const records = files.filter((file) => file.startsWith(decisions.folder)).sort(byAddress);
  const items = records.map((file) => ({ text: titleOf(file), link: pageUrl(file) }));
  return [
    ...groups,
    ...(items.length > 0 ? [{ text: decisions.text, collapsed: true, items }] : []),
    { text: "API reference", items: reference.map(referenceItem) },
  ];
}

/** An index before the pages of its folder. */
const byAddress = (a: string, b: string) => (pageUrl(a) < pageUrl(b) ? -1 : 1);

function referenceItem({ title, path, children = [] }: ReferenceEntry): SidebarItem {
  return {
    text: title,
    link: pageUrl(`site/reference/${path}`),
    ...(children.length > 0 ? { collapsed: true, items: children.map(referenceItem) } : {}),
  };
}

/** The pages that a reader can reach by search or link alone, each with the fix. */
export function pagesWithoutEntry(files: string[], sidebar: SidebarItem[]): string[] {
  const linked = new Set(linksIn(sidebar));
  return files
    .filter((file) => !linked.has(pageUrl(file)) && file !== "site/reference/index.md")
    .map((file) => `${file} is not in the sidebar: add it to site/contents.ts`);
}

function linksIn(items: SidebarItem[]): string[] {
  return items.flatMap(({ link, items: children = [] }) => [
    ...(link === undefined ? [] : [link]),
    ...linksIn(children),
  ]);
}
