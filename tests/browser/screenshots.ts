import { mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { browserRun, RelayPage } from "./relayPage";

const folder = resolve(__dirname, "../../docs/images");

/** Run by `npm run docs -- screenshots` alone: times and ids in the pictures differ from run to run. */
describe("the pictures of a recovery", () => {
  const run = browserRun(["-c", "delivery=replay"]);

  it("show the page after a half-open loss, light and dark", async () => {
    const page = await RelayPage.open(run.browser, run.relay, {
      viewport: { width: 1200, height: 1100 },
      timezoneId: "UTC",
    });
    const messages = [
      "Your report was started",
      "Page 1 is ready",
      "Page 2 is ready",
      "Your report is ready",
      "A comment on your report",
    ];
    /** The next one is published after it is stored: messages published at the same time may change places. */
    const publish = async (number: number) => {
      await page.publish(messages[number - 1] ?? "");
      await page.untilDrawn(new RegExp(`^Lambda to HistoryDB: append number ${number}: ok`));
    };

    await page.connect({ user: "42", context: "reports", contextId: "7" }, 2);
    await publish(1);
    await page.untilShown("was started");
    await page.page.click("#half-open");
    for (const lost of [2, 3, 4]) await publish(lost);
    await page.untilNoticed(/Waiting to reconnect/);
    await page.page.locator("#cut-result", { hasText: "Replayed: 3 messages" }).waitFor();
    await publish(5);
    await page.untilShown("A comment on your report");
    const origins = ["live", "replayed", "replayed", "replayed", "live"];
    expect(await page.shown()).to.deep.equal(messages.map((message, at) => `${at + 1} ${origins[at]} ${message}`));
    expect(await page.text("#state")).to.equal("Connected");

    mkdirSync(folder, { recursive: true });
    const section = page.page.locator("section", { has: page.page.locator("#messages") });
    const { x = 0, y = 0, width = 0, height = 0 } = (await section.boundingBox()) ?? {};
    await page.page.mouse.move(0, 0);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.page.emulateMedia({ colorScheme });
      const path = join(folder, `recovery-${colorScheme}.png`);
      const clip = { x: 0, y: 0, width: width + 2 * x, height: y + height + x };
      await page.page.screenshot({ path, clip, animations: "disabled" });
      expect(statSync(path).size, path).to.be.below(250_000);
    }
    page.expectNoProblem();
    await page.close();
  });
});
