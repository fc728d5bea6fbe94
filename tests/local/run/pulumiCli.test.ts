import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ChildProcesses } from "../../../local/run/childProcesses";
import { PulumiCli } from "../../../local/run/pulumiCli";
import { refusal } from "../../support/refusal";

describe("the pulumi CLI of a local run", () => {
  it("is refused, with where to get it, where it is not on PATH, before a file is written", async () => {
    const folder = mkdtempSync(join(tmpdir(), "program-"));
    const { PATH } = process.env;
    process.env.PATH = folder;
    try {
      const error = await refusal(PulumiCli.create(folder, { project: "p", values: {} }, 1, new ChildProcesses()));
      expect(error.message).to.match(/^pulumi was not found on PATH\. Fix: install the CLI, https:/);
      expect(readdirSync(folder)).to.deep.equal([]);
    } finally {
      process.env.PATH = PATH;
      rmSync(folder, { recursive: true });
    }
  });
});
