import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../browser/chromium";
import { Relay } from "../endToEnd/relay";
import { ExampleCopy } from "./exampleCopy";
import { freePort } from "./freePort";

const question = "How does it work?";

interface Connection {
  id: string;
  state: string;
}

describe("the chat of the AI example", function () {
  this.timeout(120_000);

  let example: ExampleCopy;
  let browser: Browser;
  let relay: Relay;
  let origin: string;
  let answer: string;
  let page: Page;
  let problems: string[];
  let chats = 0;

  before(async function () {
    // npm downloads the AI SDK, and the app is built.
    this.timeout(300_000);
    browser = await launchChromium();
    example = new ExampleCopy("ai-streaming");
    await example.installProgram();
    await example.install("app", ["pulumi-websocket-relay-client", "pulumi-websocket-relay-backend"]);
    const port = await freePort();
    const origins = `allowedOrigins=${JSON.stringify([`http://localhost:${port}`])}`;
    relay = await Relay.start(["--program", example.folder, "--stack", "local", "-c", origins]);
    writeFileSync(example.path("app/relay.json"), JSON.stringify(relay.addresses));
    // Builds the server and the page, with the check of their types.
    const start = ". ./local.sh; exec npm start --silent";
    origin = await example.serve("bash", ["-ec", start], { folder: "app", env: { PORT: String(port) } });
    const model = pathToFileURL(example.path("app/dist/server/model.js")).href;
    const { tokensOf } = (await import(model)) as { tokensOf(prompt: string): string[] };
    expect(tokensOf(question)).to.have.lengthOf(500);
    answer = tokensOf(question).join("");
  });
  after(async () => {
    await browser?.close();
    await relay?.stop();
    await example?.remove();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    problems = [];
    page.on("pageerror", ({ message }) => problems.push(message));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    await page.goto(`${origin}?chat=${++chats}`);
    await page.waitForSelector('[data-state="connected"]');
  });
  afterEach(async () => {
    await page.close();
    expect(problems).to.deep.equal([]);
    while ((await connections()).length > 0);
  });

  const connections = async (): Promise<Connection[]> =>
    (await relay.controlled<Connection[]>("/connections")).filter(({ state }) => state === "open");
  const ask = async (prompt = question) => {
    await page.fill("input", prompt);
    await page.click("text=Ask");
  };
  /** Resolves once the answer has got as far as this token. */
  const until = (token: number) => page.locator("li.assistant", { hasText: `(${token})` }).waitFor();
  const done = () => page.waitForSelector('[data-status="ready"]');
  const cut = async () => {
    const [connection] = await connections();
    await relay.control(`/connections/${encodeURIComponent(connection?.id ?? "")}/drop`);
  };
  const shown = () => page.locator("li").allTextContents();

  it("shows the whole answer, token for token, although the network is cut twice", async () => {
    await ask();
    for (const token of [60, 260]) {
      await until(token);
      await cut();
    }
    await until(498);
    await done();
    expect(await shown()).to.deep.equal([question, answer]);
  });

  it("shows it after a reload in its middle, too, and after one at its end", async () => {
    await ask();
    await until(100);
    await page.reload();
    await until(498);
    await done();
    expect(await shown()).to.deep.equal([question, answer]);
    await page.reload();
    await page.waitForSelector('[data-state="connected"]');
    await done();
    expect(await shown()).to.deep.equal([question, answer]);
  });

  it("keeps what there is of an answer that the user stops, and answers the next question", async () => {
    await ask();
    await until(20);
    await page.click("text=Stop");
    await done();
    const [, stopped = ""] = await shown();
    expect(answer.startsWith(stopped)).to.equal(true);
    expect(stopped.length).to.be.within(1, answer.length - 1);
    await ask();
    await page.locator("li.assistant").nth(1).waitFor();
    expect(await shown()).to.have.lengthOf(4);
  });

  it("says that an answer failed, and shows what there is of it", async () => {
    await ask("Fail");
    const status = page.locator('[data-status="error"]');
    await status.waitFor();
    expect(await status.textContent()).to.equal("The answer broke off.");
    expect((await shown())[1]).to.match(/^and \(0\) the \(1\) /);
  });
});
