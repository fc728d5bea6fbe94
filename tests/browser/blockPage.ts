import { once } from "node:events";
import { EventEmitter } from "node:events";
import { build, stop } from "esbuild";
import type { Browser, Page, WebSocket } from "playwright-core";
import type { Block } from "../docs/blocks";
import { packageEntries } from "../docs/packageEntries";
import type { Call } from "../docs/playing";
import type { Surroundings } from "../docs/stage";
import type { Relay } from "../endToEnd/relay";

/** A page of an allowed origin whose script is a printed block. */
export class BlockPage {
  private readonly calls: Call[] = [];
  private readonly problems: string[] = [];
  private readonly changed = new EventEmitter();

  private constructor(
    readonly relay: Relay,
    private readonly block: Block,
    private readonly page: Page,
  ) {
    page.on("pageerror", ({ message }) => {
      this.problems.push(message);
      this.changed.emit("change");
    });
  }

  static async open(browser: Browser, relay: Relay, block: Block): Promise<BlockPage> {
    return new BlockPage(relay, block, await browser.newPage({ bypassCSP: true }));
  }

  /** Loads the block as the page's module, bundled as a web application's is. */
  async run({ values = {}, functions = {} }: Surroundings): Promise<void> {
    await this.page.exposeFunction("docsCall", (call: Call) => {
      this.calls.push(call);
      this.changed.emit("change");
    });
    await this.page.addInitScript(`Object.assign(globalThis, ${JSON.stringify(values)});
for (const [name, answer] of ${JSON.stringify(Object.entries(functions))}) {
  globalThis[name] = (...args) => (docsCall({ name, args }), answer);
}`);
    const { outputFiles } = await build({
      stdin: { contents: this.block.text, loader: "ts" },
      alias: packageEntries(),
      bundle: true,
      format: "esm",
      write: false,
    });
    await stop();
    // An empty page, but one that came from there: to one that a test makes up, Chromium refuses every local address.
    await this.page.goto(new URL("/block", this.relay.addresses.pageUrl).href);
    await this.page.addScriptTag({ type: "module", content: outputFiles[0]?.text });
    if (this.problems.length > 0) throw new Error(this.problems.join("\n"));
  }

  /** Answers what the block fetches from its own server. */
  async serve(path: string, json: object): Promise<void> {
    await this.page.route(`**${path}`, (route) => route.fulfill({ json }));
  }

  /** The arguments of the first call of that name, which has come or comes. */
  async call(name: string): Promise<unknown[]> {
    for (;;) {
      const found = this.calls.find((call) => call.name === name);
      if (found) return found.args;
      if (this.problems.length > 0) throw new Error(this.problems.join("\n"));
      await once(this.changed, "change");
    }
  }

  /** The page's next connection, when its handshake is under way. */
  socketOpened(): Promise<WebSocket> {
    return this.page.waitForEvent("websocket");
  }

  stored(key: string): Promise<string | null> {
    return this.page.evaluate<string | null>(`localStorage.getItem(${JSON.stringify(key)})`);
  }

  value(expression: string): Promise<unknown> {
    return this.page.evaluate(expression);
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
