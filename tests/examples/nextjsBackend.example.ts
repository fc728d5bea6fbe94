import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { launchChromium } from "../browser/chromium";
import { Relay } from "../endToEnd/relay";
import { ReplayClient } from "../endToEnd/replayClient";
import { ExampleCopy } from "./exampleCopy";
import { freePort } from "./freePort";

/** Whom the example's own `session.ts` takes for the user of every request. */
const to = { user: "42", context: "chat", contextId: "7" };

describe("the app of the Next.js example", function () {
  this.timeout(300_000);

  let example: ExampleCopy;
  let browser: Browser;
  let relay: Relay;
  let origin: string;

  before(async () => {
    browser = await launchChromium();
    example = new ExampleCopy("nextjs-backend");
    await example.install("web", ["pulumi-websocket-relay-client", "pulumi-websocket-relay-backend"]);
    // Without the settings of a deployment, and with the check of the types.
    await example.run("npm", ["run", "build"], { folder: "web" });

    const port = await freePort();
    relay = await Relay.start(["-c", "delivery=replay", "-c", `allowedOrigins=["http://localhost:${port}"]`]);
    writeFileSync(example.path("web/relay.json"), JSON.stringify(relay.addresses));
    const command = `. ./local.sh; exec node_modules/.bin/next start -H localhost -p ${port}`;
    origin = await example.serve("bash", ["-ec", command], { folder: "web" });
  });
  after(async () => {
    await browser?.close();
    await relay?.stop();
    await example?.remove();
  });

  const post = (body: string) => fetch(`${origin}/replies`, { method: "POST", body });

  it("publishes from its server, and the client gets the message", async () => {
    const client = await ReplayClient.connect(relay, to);
    client.send({ action: "resume" });
    const response = await post(JSON.stringify({ chatId: "7", text: "hello" }));
    expect(response.status).to.equal(202);
    const { messageId } = (await response.json()) as { messageId: string };
    while (client.messages.length === 0) await once(client.client.socket, "message");
    expect(client.messages).to.deep.equal([[1, "hello"]]);
    expect(client.envelopes.find(({ type }) => type === "message")).to.include({ id: messageId });
    await client.client.close();
  });

  it("answers 400, and publishes nothing, for what the relay could never deliver", async () => {
    const large = await post(JSON.stringify({ chatId: "7", text: "x".repeat(131_073) }));
    expect(large.status).to.equal(400);
    expect(((await large.json()) as { error: string }).error).to.match(/^message: 131073 bytes/);
    expect((await post("{")).status).to.equal(400);
  });

  it("renders the component of the client library on the server, and connects it in the browser", async () => {
    const html = await (await fetch(origin)).text();
    expect(html).to.include('data-state="closed"');

    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", ({ message }) => problems.push(message));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    await page.goto(origin);
    await page.waitForSelector('[data-state="connected"]');
    await page.click("text=Ask for a reply");
    await page.locator("li", { hasText: "Your report is ready" }).waitFor();
    await page.close();
    expect(problems).to.deep.equal([]);
  });
});
