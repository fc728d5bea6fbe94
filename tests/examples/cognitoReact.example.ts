import { writeFileSync } from "node:fs";
import { expect } from "chai";
import type { Browser, Page, Request } from "playwright-core";
import { launchChromium } from "../browser/chromium";
import { type Recipient, recipient, Relay } from "../endToEnd/relay";
import { ExampleCopy } from "./exampleCopy";

const vite = "node_modules/vite/bin/vite.js";

interface Connection {
  id: string;
  state: string;
}

describe("the page of the Cognito example", function () {
  this.timeout(120_000);

  let example: ExampleCopy;
  let browser: Browser;

  before(async () => {
    browser = await launchChromium();
    example = new ExampleCopy("cognito-react");
    await example.install("web", ["pulumi-websocket-relay-client"]);
    // Checks the types, too.
    await example.run("npm", ["run", "build"], { folder: "web" });
  });
  after(async () => {
    await browser?.close();
    await example?.remove();
  });

  // React mounts each component twice in development alone.
  for (const [how, command] of [
    ["as `npm run local` serves it, under StrictMode", ["--mode", "localhost"]],
    ["as it was built", ["preview", "--mode", "localhost"]],
  ] as const) {
    describe(how, () => {
      let relay: Relay;
      let origin: string;
      let to: Recipient;
      let page: Page;
      let problems: string[];
      let sockets: string[];

      before(async () => {
        const args = [vite, ...command, "--strictPort", "--port", "0"];
        origin = await example.serve(process.execPath, args, { folder: "web" });
        relay = await Relay.start(["-c", "delivery=replay", "-c", `allowedOrigins=${JSON.stringify([origin])}`]);
        writeFileSync(example.path("web/relay.json"), JSON.stringify(relay.addresses));
      });
      after(() => relay?.stop());

      beforeEach(async () => {
        to = recipient();
        page = await (await browser.newContext()).newPage();
        problems = [];
        sockets = [];
        watch(page);
      });
      afterEach(async () => {
        await page.context().close();
        expect(problems).to.deep.equal([]);
        while ((await connections()).length > 0);
      });

      const watch = (page: Page) => {
        page.on("pageerror", ({ message }) => problems.push(message));
        page.on("console", (message) => {
          if (["error", "warning"].includes(message.type())) problems.push(message.text());
        });
        page.on("websocket", (socket) => {
          if (socket.url().startsWith(relay.addresses.websocketUrl)) sockets.push(socket.url());
        });
      };

      const signIn = async (lifetimeSeconds = 3600) => {
        await page.goto(origin);
        await page.click("text=Sign in");
        await page.fill("[name=user]", to.user);
        await page.fill("[name=lifetimeSeconds]", String(lifetimeSeconds));
        await page.click("text=Sign in");
        await until("connected");
      };
      const until = (state: string, where = page) => where.waitForSelector(`[data-state="${state}"]`);
      const shown = async (last: string): Promise<string[]> => {
        await page.locator("li", { hasText: last }).waitFor();
        return page.locator("li").allTextContents();
      };
      const connections = async (): Promise<Connection[]> =>
        (await relay.controlled<Connection[]>("/connections")).filter(({ state }) => state === "open");
      const onlyConnection = async (): Promise<string> => {
        const open = await connections();
        expect(open).to.have.lengthOf(1);
        return encodeURIComponent(open[0]?.id ?? "");
      };

      it("signs in, opens one connection, and shows what comes and what came before", async () => {
        await relay.publish(to, "before it opened");
        await signIn();
        expect(await page.textContent("main")).to.include(`Signed in as ${to.user}`);
        expect(new URL(page.url()).search, "the code").to.equal("");
        await relay.publish(to, "while it is here");
        expect(await shown("while it is here")).to.deep.equal(["before it opened", "while it is here"]);
        await onlyConnection();
        expect(sockets).to.have.lengthOf(1);
      });

      it("recovers from a drop, and shows each message once and in order", async () => {
        await signIn();
        await relay.publish(to, "one");
        await shown("one");
        await relay.control(`/connections/${await onlyConnection()}/drop`);
        await until("waiting");
        await relay.publish(to, "two");
        expect(await shown("two")).to.deep.equal(["one", "two"]);
        await until("connected");
        await relay.publish(to, "three");
        expect(await shown("three")).to.deep.equal(["one", "two", "three"]);
        await onlyConnection();
        expect(sockets).to.have.lengthOf(2);
      });

      // What follows does not depend on how the page is built.
      if (how === "as it was built") return;

      it("renews a token that is about to end, and connects with the new one", async () => {
        const renewals: Request[] = [];
        page.on("request", (request) => {
          if (request.postData()?.includes("grant_type=refresh_token")) renewals.push(request);
        });
        await signIn(40);
        expect(renewals).to.have.lengthOf(1);
        await relay.publish(to, "one");
        expect(await shown("one")).to.deep.equal(["one"]);
      });

      it("has one connection after a change to another chat and back, and shows each chat's messages", async () => {
        await signIn();
        await relay.publish(to, "of chat 7");
        await shown("of chat 7");
        await page.selectOption("select", "8");
        await until("connected");
        await relay.publish({ ...to, contextId: "8" }, "of chat 8");
        expect(await shown("of chat 8")).to.deep.equal(["of chat 8"]);
        await page.selectOption("select", "7");
        expect(await shown("of chat 7")).to.deep.equal(["of chat 7"]);
        while ((await connections()).length > 1);
        await onlyConnection();
      });

      it("gives way to a newer tab, and takes the session back when asked to", async () => {
        await signIn();
        const second = await page.context().newPage();
        watch(second);
        // Its storage is a tab's own, so it signs in, too.
        await second.goto(origin);
        await second.click("text=Sign in");
        await second.fill("[name=user]", to.user);
        await second.click("text=Sign in");
        await until("connected", second);
        await until("superseded");
        await page.click("text=Use it here");
        await until("superseded", second);
        await relay.publish(to, "to the first");
        expect(await shown("to the first")).to.deep.equal(["to the first"]);
        await second.close();
      });

      it("closes its connection when the user signs out", async () => {
        await signIn();
        await page.click("text=Sign out");
        await page.waitForSelector("button >> text=Sign in");
        while ((await connections()).length > 0);
        expect(sockets).to.have.lengthOf(1);
      });
    });
  }
});
