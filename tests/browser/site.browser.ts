import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, resolve } from "node:path";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "./chromium";

const folder = resolve(__dirname, "../../site/.vitepress/dist");
const pages = existsSync(folder)
  ? readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".html"))
  : [];
/** Of the generated reference, whose pages look alike, one of each kind. */
const visited = pages.filter(
  (path) => !path.startsWith("reference/") || /(index|AuthArgs|RelayClient)\.html$/.test(path),
);

describe("the documentation site", () => {
  let browser: Browser;
  let server: Server;
  let address: string;
  let page: Page;
  let problems: string[];

  before(async () => {
    if (pages.length === 0) throw new Error(`there is no ${folder}: run npm run docs -- build`);
    server = createServer(serve).listen(0, "127.0.0.1");
    await once(server, "listening");
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`;
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  beforeEach(async () => {
    problems = [];
    page = await browser.newPage({ viewport: { width: 360, height: 740 }, colorScheme: "light" });
    page.on("pageerror", ({ message }) => problems.push(message));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address)) problems.push(request.url());
    });
  });
  afterEach(async () => {
    await page.close();
    expect(problems).to.deep.equal([]);
  });

  for (const path of visited) {
    it(`has a page ${path} that fits a phone, draws its diagrams, and loads nothing from another host`, async () => {
      await page.goto(`${address}${path}`);
      expect(await page.locator("h1, .title").first().innerText()).to.not.equal("");
      for (const diagram of await page.locator(".diagram").all()) await diagram.locator("svg").waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth")).to.equal(360);
    });
  }

  it("finds what is searched, without a server's help", async () => {
    await page.goto(`${address}client.html`);
    await page.getByRole("button", { name: "Search" }).first().click();
    await page.getByRole("searchbox").fill("dead-letter queue");
    await page.locator(".result").first().click();
    // The address changes before the page does.
    await page.locator("h1", { hasText: "The client library" }).waitFor({ state: "detached" });
    await page.locator("h1").waitFor();
    expect(await page.innerText("main")).to.match(/dead-letter queue/i);
    expect(page.url()).to.not.match(/\/client\.html/);
  });

  it("is dark where the reader's system is, its diagrams too", async () => {
    await page.goto(`${address}protocol.html`);
    const diagram = page.locator(".diagram svg").first();
    await diagram.waitFor();
    const [light, lightDiagram] = [await background(), await diagram.innerHTML()];
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForFunction(`document.querySelector(".diagram svg").innerHTML !== ${JSON.stringify(lightDiagram)}`);
    expect(await background()).to.not.equal(light);
  });

  it("fills the window with a diagram that is clicked, until the next click", async () => {
    await page.goto(`${address}protocol.html`);
    // Else the first one that is drawn is clicked, which may come later on the page.
    await page.waitForFunction("document.querySelector('button.diagram') && !document.querySelector('pre.diagram')");
    const diagram = page.locator("button.diagram").first();
    await diagram.click();
    expect(await diagram.boundingBox()).to.deep.equal({ x: 0, y: 0, width: 360, height: 740 });
    await diagram.click();
    expect((await diagram.boundingBox())?.width).to.be.below(360);
  });

  const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
});

/** It has to work wherever it is put. */
const base = "/some/path/";

const contentTypes: Record<string, string> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
};

/** The built files, as any static host serves them, and nothing else. */
const serve: Parameters<typeof createServer>[1] = (request, response) => {
  const { pathname } = new URL(request.url ?? "", "http://127.0.0.1");
  const path = decodeURI(pathname).replace(/\/$/, "/index.html");
  readFile(join(folder, path.startsWith(base) ? path.slice(base.length) : "nowhere")).then(
    (body) => response.setHeader("content-type", contentTypes[extname(path)] ?? "application/octet-stream").end(body),
    () => response.writeHead(404).end(),
  );
};
