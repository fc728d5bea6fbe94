import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { build, stop } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { WebSocketServer } from "ws";
import { type FrameToRelay, SUBPROTOCOLS } from "../../protocol";
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
  /** What the relay got, of all connections. */
  let frames: FrameToRelay[];
  let arrived = (): void => undefined;

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
      socket.on("message", (data: Buffer) => {
        const frame = JSON.parse(data.toString()) as FrameToRelay;
        frames.push(frame);
        arrived();
        if (frame.action === "ping") return socket.send(JSON.stringify({ type: "pong" }));
        if (frame.action === "ack") return;
        const [epoch, id, first] = ["e1", "id", (frame.cursor?.seq ?? 0) + 1];
        const resumed = { type: "resumed", recovered: true, first, through: 2 };
        const messages = [1, 2].map((seq) => ({ type: "message", epoch, seq, id, body: `m${seq}` }));
        const page = messages.filter(({ seq }) => seq >= first);
        socket.send(JSON.stringify([{ type: "hello", epoch, oldest: 1, newest: 2 }, resumed, ...page]));
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
    frames = [];
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

  /** The frames after those that were taken before, up to the first with this action. */
  const taken = async (action: FrameToRelay["action"]): Promise<FrameToRelay[]> => {
    for (;;) {
      const index = frames.findIndex((frame) => frame.action === action);
      if (index >= 0) return frames.splice(0, index + 1);
      await new Promise<void>((resolve) => (arrived = resolve));
    }
  };
  const ack = { action: "ack", cursor: { epoch: "e1", seq: 2 } };

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

  it("acknowledges when the page is hidden, and checks its connection when it is shown again", async () => {
    policy = documentedPolicy(relayUrl());
    await load();
    await said("message m2");
    // A headless Chromium hides no page, so the page says it itself.
    const become = (state: string) =>
      page.evaluate(`
        Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
      `);
    await become("hidden");
    expect(await taken("ack")).to.deep.equal([{ action: "resume" }, ack]);
    await become("visible");
    expect(await taken("ping")).to.deep.equal([{ action: "ping" }]);
    expect(await page.evaluate("window.said")).to.not.include("waiting");
  });

  for (const isCaching of [false, true]) {
    const how = isCaching ? "comes from the back-forward cache" : "is loaded again";
    it(`acknowledges when the page is left, and goes on after its cursor when it ${how}`, async () => {
      const another = await launchChromium({ isCaching });
      try {
        page = await another.newPage();
        policy = documentedPolicy(relayUrl());
        await load();
        await said("message m2");
        await page.goto("data:text/html,another page");
        expect(await taken("ack")).to.deep.equal([{ action: "resume" }, ack]);
        await page.goBack({ waitUntil: "commit" });
        expect((await taken("resume")).at(-1)).to.deep.equal({ action: "resume", cursor: ack.cursor });
        const before = isCaching ? ["connecting", "connected", "message m1", "message m2", "waiting"] : [];
        await page.waitForFunction("window.said?.at(-1) === 'connected'");
        expect(await page.evaluate("window.said")).to.deep.equal([...before, "connecting", "connected"]);
      } finally {
        await another.close();
      }
    });
  }
});
