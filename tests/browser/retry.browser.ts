import { expect } from "chai";
import type { Browser } from "playwright-core";
import { recipient, Relay } from "../endToEnd/relay";
import { launchChromium } from "./chromium";
import { RelayPage } from "./relayPage";

describe("the page of a relay that delivers by retry", () => {
  let browser: Browser;
  let relay: Relay;
  let page: RelayPage;
  before(async () => {
    browser = await launchChromium();
    relay = await Relay.start(["--time-scale", "10"]);
  });
  after(async () => {
    await browser?.close();
    await relay?.stop();
  });
  beforeEach(async () => (page = await RelayPage.open(browser, relay)));
  afterEach(async () => {
    page.expectNoProblem();
    await page.close();
  });

  it("says that there are no numbers, and shows messages without", async () => {
    expect(await page.text("#delivery")).to.match(/by retry.*no numbers/);
    await page.connect(recipient());
    await page.publish("hello");
    await page.untilShown("hello");
    expect(await page.shown()).to.deep.equal(["- - hello"]);
    expect(await page.text("#messages")).to.include("no number");
  });

  it("shows a message that was published while the client was away, once it is back", async () => {
    const to = recipient();
    await page.connect(to);
    await page.page.click("#disconnect");
    await page.untilDrawn(/^Lambda to Gateway: 200 \$disconnect/);
    await page.publish("meanwhile");
    await page.untilDrawn(/^Lambda to Publisher: retry/);
    await page.page.click("#connect");
    await page.untilShown("meanwhile");
    expect(await page.shown()).to.deep.equal(["- - meanwhile"]);
  });

  it("draws how a message is lost in a half-open connection, and does not show it", async () => {
    await page.connect(recipient());
    await page.page.click("#half-open");
    await page.publish("lost");
    await page.untilDrawn(/^Gateway to Client: message .* is lost, unnoticed/);
    await page.untilNoticed(/waiting/);
    await page.untilConnected();
    await page.publish("after");
    await page.untilShown("after");
    expect(await page.shown()).to.deep.equal(["- - after"]);
  });
});
