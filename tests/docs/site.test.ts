import { expect } from "chai";
import { problemsOfSite } from "../../site/builtSite";
import { contents, pagesWithoutEntry, pageUrl, sidebarOf, sitePath } from "../../site/contents";
import { browsableUrl, type Repository, siteLink } from "../../site/links";

describe("the site's pages", () => {
  for (const [file, url] of [
    ["docs/index.md", "/"],
    ["docs/replay.md", "/replay"],
    ["docs/decisions/bundling.md", "/decisions/bundling"],
    ["CHANGELOG.md", "/changelog"],
    ["site/reference/index.md", "/reference/"],
    ["site/reference/client/classes/RelayClient.md", "/reference/client/classes/RelayClient"],
  ] as const) {
    it(`have the address ${url} for ${file}`, () => expect(pageUrl(file)).to.equal(url));
  }

  it("have addresses that differ", () => {
    const files = [...contents.flatMap(({ pages }) => pages.map(({ file }) => file)), "docs/decisions/a.md"];
    expect(files.length).to.be.greaterThan(10);
    expect(new Set(files.map((file) => sitePath(file).toLowerCase())).size).to.equal(files.length);
  });
});

describe("the site's sidebar", () => {
  const reference = [{ title: "client", path: "client/index.md", children: [{ title: "Gap", path: "client/Gap.md" }] }];
  const sidebar = (...files: string[]) => sidebarOf(files, (file) => `title of ${file}`, reference);

  it("has the pages of the guide, in their groups", () => {
    expect(sidebar().map(({ text }) => text)).to.deep.equal(["Start", "Use", "Operate", "Project", "API reference"]);
    expect(sidebar()[0]?.items?.[0]).to.deep.equal({ text: "Overview", link: "/" });
  });

  it("has every decision by its title, in the order of the files, after their index", () => {
    expect(sidebar("docs/decisions/b.md", "docs/decisions/index.md", "docs/decisions/a.md").at(-2)).to.deep.include({
      text: "Decisions",
      items: [
        { text: "title of docs/decisions/index.md", link: "/decisions/" },
        { text: "title of docs/decisions/a.md", link: "/decisions/a" },
        { text: "title of docs/decisions/b.md", link: "/decisions/b" },
      ],
    });
  });

  it("has what TypeDoc generated", () => {
    expect(sidebar().slice(-1)).to.deep.equal([
      {
        text: "API reference",
        items: [
          {
            text: "client",
            link: "/reference/client/",
            collapsed: true,
            items: [{ text: "Gap", link: "/reference/client/Gap" }],
          },
        ],
      },
    ]);
  });

  it("is complete where it has every page", () => {
    const files = ["docs/replay.md", "docs/decisions/a.md", "site/reference/index.md", "site/reference/client/Gap.md"];
    expect(pagesWithoutEntry(files, sidebar(...files))).to.deep.equal([]);
  });

  it("names a page that it does not have, and the fix", () => {
    const files = ["docs/replay.md", "docs/forgotten.md"];
    expect(pagesWithoutEntry(files, sidebar(...files))).to.deep.equal([
      "docs/forgotten.md is not in the sidebar: add it to site/contents.ts",
    ]);
  });
});

describe("a link in a page", () => {
  const repository: Repository = {
    pages: new Map(["docs/client.md", "docs/decisions/a.md", "CHANGELOG.md"].map((file) => [file, pageUrl(file)])),
    exists: (path) => ["examples/smallest", "LICENSE"].includes(path),
    url: undefined,
  };
  const browsable = { ...repository, url: "https://code.acme.dev/relay" };

  for (const [what, href, file, expected] of [
    ["to a page beside it", "client.md#browser", "docs/replay.md", "/client#browser"],
    ["to a page in a folder", "./decisions/a.md", "docs/replay.md", "/decisions/a"],
    ["out of a folder", "../client.md", "docs/decisions/a.md", "/client"],
    ["to a page outside of docs", "../CHANGELOG.md#020", "docs/replay.md", "/changelog#020"],
    ["from a page outside of docs", "docs/client.md", "CHANGELOG.md", "/client"],
    ["to its own heading", "#browser", "docs/client.md", "#browser"],
    ["to another site", "https://aws.amazon.com/", "docs/client.md", "https://aws.amazon.com/"],
    ["to an e-mail address", "mailto:someone@acme.dev", "docs/client.md", "mailto:someone@acme.dev"],
    [
      "to nothing (which the check of the built site reports)",
      "../examples/gone",
      "docs/client.md",
      "../examples/gone",
    ],
  ] as const) {
    it(`${what} is ${expected}`, () => expect(siteLink(href, file, repository)).to.equal(expected));
  }

  it("leaves repository links out while package.json names no repository", () => {
    expect(siteLink("../examples/smallest/", "docs/client.md", repository)).to.equal(undefined);
  });

  it("to a file of the repository leads to the repository that package.json names", () => {
    expect(siteLink("../LICENSE#L1", "docs/client.md", browsable)).to.equal(
      "https://code.acme.dev/relay/blob/HEAD/LICENSE#L1",
    );
  });

  for (const written of [
    "acme/relay",
    "github:acme/relay",
    "https://github.com/acme/relay",
    { url: "git+https://github.com/acme/relay.git" },
    { url: "git+ssh://git@github.com/acme/relay.git" },
  ]) {
    it(`finds the repository in ${JSON.stringify(written)}`, () =>
      expect(browsableUrl(written)).to.equal("https://github.com/acme/relay"));
  }
});

describe("the check of the built site", () => {
  const problems = (files: Record<string, string>) => problemsOfSite(new Map(Object.entries(files)));
  const page = (body: string) => `<!DOCTYPE html><html><head></head><body>${body}</body></html>`;

  it("accepts links to pages, headings, files and other sites", () => {
    const links = [
      "/",
      "/client.html#browser",
      "./client.html?a=1#browser",
      "#here",
      "/app.js",
      "https://aws.dev/",
      "",
    ];
    const body = links.map((href) => `<a class="x" href="${href}">text</a>`).join("");
    expect(
      problems({
        "index.html": page(`<h2 id="here">Here</h2>${body}<script type="module" src="/app.js"></script>`),
        "client.html": page('<h2 id="browser" tabindex="-1">Browser</h2>'),
        "app.js": "",
      }),
    ).to.deep.equal([]);
  });

  it("takes code that shows HTML for text", () => {
    expect(
      problems({ "index.html": page("<code>&lt;script src=&quot;https://cdn.dev/a.js&quot;&gt;</code>") }),
    ).to.deep.equal([]);
  });

  const wrong: Record<string, { body: string; problem: string }> = {
    "a dead link": { body: '<a href="/gone.html">x</a>', problem: "a dead link, to /gone.html" },
    "a dead link to a file": { body: '<a href="../LICENSE">x</a>', problem: "a dead link, to ../LICENSE" },
    "a dead anchor of another page": {
      body: '<a href="/client.html#gone">x</a>',
      problem: "a dead anchor, /client.html#gone: client.html has no such heading",
    },
    "a dead anchor of the page": {
      body: '<a href="#gone">x</a>',
      problem: "a dead anchor, #gone: a.html has no such heading",
    },
    "a script of another host": {
      body: '<script async src="https://cdn.dev/a.js?b&amp;c"></script>',
      problem: "loads https://cdn.dev/a.js?b&c",
    },
    "a style sheet of another host": {
      body: '<link rel="preload stylesheet" href="//fonts.dev/a.css" as="style">',
      problem: "loads //fonts.dev/a.css",
    },
    "an image of another host": {
      body: '<img alt="" srcset="/client.html 1x, https://img.dev/a.png 2x">',
      problem: "loads https://img.dev/a.png",
    },
    "an image that is not there": { body: '<img src="/gone.png">', problem: "a dead link, to /gone.png" },
  };
  for (const [what, { body, problem }] of Object.entries(wrong)) {
    it(`reports ${what}`, () => {
      expect(problems({ "a.html": page(body), "client.html": page("") })).to.deep.equal([`a.html: ${problem}`]);
    });
  }

  it("reports what a style sheet loads of another host", () => {
    const css = '@import "https://a.dev/b.css"; a { background: url(//c.dev/d.png) } b { background: url(/e.png) }';
    expect(problems({ "style.css": css })).to.deep.equal([
      "style.css: loads https://a.dev/b.css",
      "style.css: loads //c.dev/d.png",
    ]);
  });

  it("reports a problem that many pages have once", () => {
    const body = page('<a href="/gone.html">x</a>');
    expect(problems({ "a.html": body, "b.html": body, "c.html": body })).to.deep.equal([
      "a.html and 2 more: a dead link, to /gone.html",
    ]);
  });
});
