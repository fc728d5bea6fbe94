import { join } from "node:path";
import { expect } from "chai";
import { format, resolveConfig } from "prettier";
import { repository } from "../support/repository";

/** What the formatter makes of a page, by this repository's own settings. */
async function formatted(page: string): Promise<string> {
  const config = await resolveConfig(join(repository, "docs/page.md"));
  return format(page, { ...config, parser: "markdown" });
}

const narrow = "| key         | default |\n| ----------- | ------- |\n| `batchSize` | 10      |\n";
const wide = `| key | what it is |\n| --- | --- |\n| \`batchSize\` | ${"how many ".repeat(12)}messages |\n`;

describe("the formatter", () => {
  it("pads a table that fits on a line", async () => {
    expect(await formatted(narrow.replaceAll(/ +/g, " "))).to.equal(narrow);
  });

  it("does not pad a table whose widest row is longer than a line", async () => {
    expect(await formatted(wide)).to.equal(wide);
  });

  it("keeps the line breaks of a paragraph next to such a table", async () => {
    const page = `One sentence\non two lines.\n\n${wide}`;
    expect(await formatted(page)).to.equal(page);
  });
});
