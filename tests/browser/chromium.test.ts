import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { chromiumPath } from "./chromium";

describe("the browser of the browser tests", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "browser-"))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const file = (name: string, mode = 0o755) => {
    writeFileSync(join(folder, name), "", { mode });
    return join(folder, name);
  };

  it("is found on the PATH by each of its names", () => {
    for (const name of ["google-chrome", "chromium-browser", "chromium"]) {
      const path = file(name);
      expect(chromiumPath({ PATH: `/nowhere:${folder}` })).to.equal(path);
    }
  });

  it("is the one that CHROMIUM_PATH names, before all others", () => {
    file("chromium");
    const path = file("other");
    expect(chromiumPath({ PATH: folder, CHROMIUM_PATH: path })).to.equal(path);
  });

  it("fails where it is missing, saying what to install: a skipped test would look like one that passed", () => {
    file("chromium", 0o644);
    expect(() => chromiumPath({ PATH: folder })).to.throw(/no browser.*apt-get install chromium.*CHROMIUM_PATH/);
    expect(() => chromiumPath({ PATH: folder, CHROMIUM_PATH: "/nowhere" })).to.throw(/CHROMIUM_PATH: got "\/nowhere"/);
  });
});
