import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pathOf } from "./tools";

describe("a tool that a code block needs beyond Node and npm", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "tools-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is none without DOCS_TOOLS, so that its block is left out", () => {
    expect(pathOf("the AWS CLI", {})).to.equal(undefined);
  });

  it("is the one in the folder DOCS_TOOLS", () => {
    mkdirSync(join(folder, "python/bin"), { recursive: true });
    writeFileSync(join(folder, "python/bin/aws"), "");
    expect(pathOf("the AWS CLI", { DOCS_TOOLS: folder })).to.equal(join(folder, "python/bin/aws"));
  });

  it("fails where DOCS_TOOLS does not have it, and says where to install it", () => {
    expect(() => pathOf("the AWS CLI", { DOCS_TOOLS: folder })).to.throw(
      /^DOCS_TOOLS: got ".*", without the AWS CLI at python\/bin\/aws; install it there/,
    );
  });
});
