import { expect } from "chai";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type Recipient, Relay } from "../endToEnd/relay";
import { launchChromium } from "./chromium";

interface BrowserRun {
  browser: Browser;
  relay: Relay;
}

/** A browser and a relay for the tests of the `describe` that calls this; both are there once a test runs. */
export function browserRun(args: string[]): Readonly<BrowserRun> {
  const run: Partial<BrowserRun> = {};
  before(async () => {
    run.browser = await launchChromium();
    run.relay = await Relay.start(args);
  });
  after(async () => {
    await run.browser?.close();
    await run.relay?.stop();
  });
  return run as BrowserRun;
}

/** As `browserRun`, with a page for each test, in which the browser must have no complaint; `take` gets the page. */
export function pageRun(args: string[], take: (page: RelayPage) => void): Readonly<BrowserRun> {
  const run = browserRun(args);
  let page: RelayPage;
  beforeEach(async () => take((page = await RelayPage.open(run.browser, run.relay))));
  afterEach(async () => {
    page.expectNoProblem();
    await page.close();
  });
  return run;
}

/** The page that `npm start` serves, in a browser, as somebody who looks at it uses it. */
export class RelayPage {
  private constructor(
    readonly page: Page,
    /** What the browser complained of: errors of scripts, of the Content-Security-Policy, of the network. */
    readonly problems: string[],
  ) {}

  static async open(
    browser: Browser,
    relay: Relay,
    options: BrowserContextOptions = { viewport: { width: 1280, height: 900 } },
  ): Promise<RelayPage> {
    const page = await browser.newPage(options);
    const opened = RelayPage.of(page);
    await page.goto(relay.addresses.pageUrl);
    await page.locator("#delivery", { hasText: "mode:" }).waitFor();
    return opened;
  }

  /** A tab that was opened by a page. */
  static of(page: Page): RelayPage {
    const problems: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    page.on("pageerror", ({ message }) => problems.push(message));
    return new RelayPage(page, problems);
  }

  /** Connects with a heartbeat that finds a dead connection soon, and waits until the page knows its connection. */
  async connect({ user, context, contextId }: Recipient, heartbeatSeconds = 0.3): Promise<void> {
    await this.page.fill("#user", user);
    await this.page.fill("#context", context);
    await this.page.fill("#context-id", contextId);
    await this.page.fill("#heartbeat", String(heartbeatSeconds));
    await this.page.click("#connect");
    await this.untilConnected();
  }

  /** Connects the raw client to the session that the form has, and waits until the page knows its connection. */
  async connectRaw(): Promise<void> {
    await this.page.click("#raw-connect");
    await this.untilRawConnected();
  }

  async untilRawConnected(): Promise<void> {
    await this.page.locator('#raw-state[data-state="connected"]').waitFor();
    await this.page.locator("#raw-connection", { hasNotText: "none" }).waitFor();
  }

  async untilConnected(): Promise<void> {
    await this.untilState("connected");
    await this.page.locator("#connection", { hasNotText: "none" }).waitFor();
  }

  async untilState(state: string): Promise<void> {
    await this.page.locator(`#state[data-state="${state}"]`).waitFor();
  }

  /** Publishes by the page's form, as the backend. */
  async publish(message: string): Promise<void> {
    await this.page.fill("#message", message);
    await this.page.click("#publish");
  }

  async untilShown(message: string): Promise<void> {
    await this.page.locator("#messages li", { hasText: message }).first().waitFor();
  }

  /** Number, origin and text of what is shown, in order. */
  async shown(): Promise<string[]> {
    // In the browser, of whose types nothing is known here.
    type Entry = { dataset: { seq?: string; origin?: string }; lastChild: { textContent: string } };
    return this.page.locator("#messages li").evaluateAll((entries) =>
      (entries as unknown as Entry[]).map(({ dataset: { seq = "-", origin = "-" }, lastChild }) => {
        return `${seq} ${origin} ${lastChild.textContent}`;
      }),
    );
  }

  async untilShownRaw(message: string): Promise<void> {
    await this.page.locator("#raw-messages li", { hasText: message }).first().waitFor();
  }

  /** What the raw client has shown, in order. */
  async shownRaw(): Promise<string[]> {
    return this.page
      .locator("#raw-messages li")
      .evaluateAll((entries) =>
        (entries as unknown as { lastChild: { textContent: string } }[]).map(({ lastChild }) => lastChild.textContent),
      );
  }

  /** Opens a second tab of the session by the link, and returns it once it is connected. */
  async openOtherTab(): Promise<RelayPage> {
    const opening = this.page.context().waitForEvent("page");
    await this.page.click("#other-tab");
    const other = RelayPage.of(await opening);
    await other.untilConnected();
    return other;
  }

  /** Resolves when the diagram has such an arrow: `Gateway to Client: …`. */
  async untilDrawn(said: RegExp): Promise<void> {
    await this.page.locator("#diagram li", { hasText: said }).first().waitFor({ state: "attached" });
  }

  async untilNoticed(what: RegExp): Promise<void> {
    await this.page.locator("#notices li", { hasText: what }).first().waitFor();
  }

  async text(selector: string): Promise<string> {
    return (await this.page.textContent(selector)) ?? "";
  }

  /** All that can be seen, without what is hidden. */
  async visibleText(): Promise<string> {
    return (await this.page.locator("main").innerText()).replace(/\s+/g, " ");
  }

  async isEnabled(id: string): Promise<boolean> {
    return this.page.locator(`#${id}`).isEnabled();
  }

  expectNoProblem(): void {
    expect(this.problems).to.deep.equal([]);
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
