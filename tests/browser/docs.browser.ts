import { expect } from "chai";
import type { Browser } from "playwright-core";
import { allBlocks, type Block, placeOf } from "../docs/blocks";
import { browserScenes } from "../docs/scenes/browser";
import { pathOf } from "../docs/tools";
import { Relay } from "../endToEnd/relay";
import { BlockPage } from "./blockPage";
import { launchChromium } from "./chromium";

const blocks = allBlocks();

const sceneOf = ({ mark }: Block) => (mark?.kind === "run" ? browserScenes[mark.name ?? ""] : undefined);

let browser: Browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser?.close());

for (const delivery of ["retry", "replay"] as const) {
  describe(`a printed block in a page of a relay with delivery ${delivery}`, () => {
    let relay: Relay;
    before(async () => {
      relay = await Relay.start(["-c", `delivery=${delivery}`]);
    });
    after(() => relay?.stop());

    for (const block of blocks.filter((each) => sceneOf(each)?.delivery === delivery)) {
      it(`does what ${placeOf(block)} says`, async () => {
        const page = await BlockPage.open(browser, relay, block);
        await sceneOf(block)?.play(page);
        await page.close();
      });
    }
  });
}

describe("the printed diagrams", () => {
  const mermaid = pathOf("Mermaid");
  // Without DOCS_TOOLS it is not here, and a diagram shows an error in place of itself where it is wrong.
  if (mermaid === undefined) return;

  for (const block of blocks.filter(({ language }) => language === "mermaid")) {
    it(`are ones that Mermaid draws, as in ${placeOf(block)}`, async () => {
      const page = await browser.newPage();
      await page.addScriptTag({ path: mermaid });
      const drawn = await page.evaluate<string>(
        `mermaid.render("diagram", ${JSON.stringify(block.text)}).then(({ svg }) => svg)`,
      );
      expect(drawn).to.match(/^<svg/);
      await page.close();
    });
  }
});
