import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { build, stop } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { WebSocketServer } from "ws";
import { SUBPROTOCOLS } from "../../protocol";
import { launchChromium } from "./chromium";
import { repository } from "../support/repository";

/** The policy that docs/client.md prints, for this relay. */
function documentedPolicy(relay: string): string {
  const docs = readFileSync(join(repository, "docs/client.md"), "utf8");
  const [, policy = ""] = /^Content-Security-Policy: (.*)$/m.exec(docs) ?? [];
  return policy.replace(/wss:\S+/, relay);
}

/** Connects, and writes what it is told into the document. */
const script = (websocketUrl: string) => `
import { RelayClient, webStorageCursorStore } from "/index.mjs";
window.said = [];
new RelayClient({
  url: ${JSON.stringify(websocketUrl)}, context: "chat", contextId: "7",
  cursorStore: webStorageCursorStore(() => localStorage, "relay:42:chat:7"),
  onMessage: ({ body }) => said.push("message " + body),
  onError: ({ code }) => said.push("error " + code),
  onStateChange: (state) => said.push(state),
}).connect();
`;

// A page with a server of its own, and a relay of another origin that answers each client with two messages.
describe("the client in a page", () => {
  let browser: Browser;
  let pages: Server;
  let relay: WebSocketServer;
  let policy: string;
  let page: Page;

  before(async () => {
    const bundled = await build({
      entryPoints: [join(repository, "client/index.ts")],
      bundle: true,
      format: "esm",
      platform: "browser",
      write: false,
    });
    await stop();
    relay = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => SUBPROTOCOLS.v1 });
    relay.on("connection", (socket) =>
      socket.once("message", () => {
        const [epoch, id] = ["e1", "id"];
        const resumed = { type: "resumed", recovered: true, first: 1, through: 2 };
        const messages = [1, 2].map((seq) => ({ type: "message", epoch, seq, id, body: `m${seq}` }));
        socket.send(JSON.stringify([{ type: "hello", epoch, oldest: 1, newest: 2 }, resumed, ...messages]));
      }),
    );
    await once(relay, "listening");
    const text: Record<string, string> = {
      "/": '<script type="module" src="/page.mjs"></script>',
      "/page.mjs": script(relayUrl()),
      "/index.mjs": bundled.outputFiles[0]?.text ?? "",
    };
    pages = createServer(({ url = "" }, response) => {
      const type = url === "/" ? "text/html" : "text/javascript";
      // A sandboxed page is of no origin, and has to be allowed to load its own modules.
      const headers = { "content-type": type, "content-security-policy": policy, "access-control-allow-origin": "*" };
      response.writeHead(url in text ? 200 : 404, headers).end(text[url]);
    });
    pages.listen(0, "127.0.0.1");
    await once(pages, "listening");
    browser = await launchChromium();
  });
  beforeEach(async () => {
    page = await browser.newPage();
  });
  afterEach(() => page.close());
  after(async () => {
    await browser?.close();
    pages?.close();
    relay?.close();
  });

  const relayUrl = () => `ws://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const load = () => page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
  const said = async (last: string): Promise<string[]> => {
    await page.waitForFunction(`window.said?.includes(${JSON.stringify(last)})`);
    return page.evaluate("window.said");
  };

  it("connects under the documented Content-Security-Policy, and keeps its cursor", async () => {
    policy = documentedPolicy(relayUrl());
    await load();
    expect(await said("message m2")).to.deep.equal(["connecting", "connected", "message m1", "message m2"]);
    const kept = await page.evaluate<string>('localStorage.getItem("relay:42:chat:7")');
    expect(JSON.parse(kept)).to.deep.equal({ epoch: "e1", seq: 2 });
  });

  it("does not connect where connect-src names the page's own origin alone", async () => {
    policy = documentedPolicy("");
    await load();
    expect(await said("waiting"))
      .to.include.members(["connecting", "waiting"])
      .and.not.include("connected");
  });

  it("shows every message, and reports one error, where storage is blocked", async () => {
    policy = "sandbox allow-scripts";
    await load();
    expect(await said("message m2")).to.deep.equal([
      "connecting",
      "error store",
      "connected",
      "message m1",
      "message m2",
    ]);
  });
});
