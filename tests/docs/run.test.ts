import { expect } from "chai";
import { allBlocks, type Block, placeOf } from "./blocks";
import { scenes } from "./scenes";
import { alone } from "./scenes/alone";
import { browserScenes } from "./scenes/browser";
import { Relays } from "./scenes/scene";
import { removeStages, Stage } from "./stage";
import { pathOf } from "./tools";

describe("a printed block", () => {
  const relays = new Relays();
  const leftOut: string[] = [];
  afterEach(function () {
    const running = removeStages();
    if (this.currentTest?.state === "failed") running.forEach((said) => console.error(said));
  });
  after(async () => {
    await relays.stop();
    if (leftOut.length > 0) console.log(`    Left out here, and run by .ci/run: ${leftOut.join(", ")}`);
  });

  for (const block of allBlocks()) {
    const { mark } = block;
    if (mark?.kind !== "run") continue;
    if (mark.name !== undefined && mark.name in browserScenes) {
      leftOut.push(`${placeOf(block)} (a browser)`);
      continue;
    }
    // A name without a scene is told by marks.test.ts.
    const scene = mark.name === undefined ? alone : scenes[mark.name];
    if (scene === undefined) continue;
    const missing = scene.needs?.filter((tool) => pathOf(tool) === undefined) ?? [];
    if (missing.length > 0) {
      leftOut.push(`${placeOf(block)} (${missing.join(", ")})`);
      continue;
    }
    it(`does what ${placeOf(block)} says`, () => scene.play(block, relays)).timeout(120_000);
  }

  it("fails with its place and all it said where one of its commands fails", async () => {
    const block: Block = { file: "page.md", line: 7, language: "sh", text: "echo before\nfalse\necho after\n" };
    const error = await new Stage().shell(block).succeeded().catch(String);
    expect(error)
      .to.match(/page\.md:7: the block ended with 1/)
      .and.include("before");
    expect(error).not.to.include("after");
  });
});
