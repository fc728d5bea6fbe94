import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { afterTest } from "./afterTest";
import { repository } from "./repository";

/** Mocha, as it is set up here, with tests of its own. */
function runMocha(tests: string) {
  const folder = mkdtempSync(join(tmpdir(), "mocha-set-up-"));
  afterTest(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "tries.test.js");
  writeFileSync(file, tests);
  const { status, stdout } = spawnSync(process.execPath, ["node_modules/mocha/bin/mocha.js", file], {
    cwd: repository,
    encoding: "utf8",
  });
  return { status, stdout };
}

describe("a promise that rejects while nothing handles it", () => {
  it("fails the test that runs, by its name, and not the next one", () => {
    const { status, stdout } = runMocha(`
      const untilNoticed = () => new Promise((resolve) => setTimeout(resolve));
      it("leaves one behind", async () => {
        void Promise.reject(new Error("nothing handles this"));
        await untilNoticed();
      });
      it("leaves none", untilNoticed);
    `);
    expect(stdout).to.match(/1 passing[^]*failing[^]*1\) leaves one behind:\s+Uncaught Error: nothing handles this/);
    expect(status).to.be.above(0);
  });

  it("fails the test that has ended", () => {
    const { status, stdout } = runMocha(`
      it("leaves one behind", () => void Promise.reject(new Error("nothing handles this")));
    `);
    expect(stdout).to.match(/1 failing[^]*1\) leaves one behind:\s+Uncaught Error: nothing handles this/);
    expect(status).to.equal(1);
  });

  it("fails the run where all tests have ended", () => {
    const { status } = runMocha(`
      it("leaves one behind", () => void process.once("beforeExit", () => Promise.reject(new Error("late"))));
    `);
    expect(status).to.not.equal(0);
  });

  it("fails nothing where the test listens to rejections itself", () => {
    const { status, stdout } = runMocha(`
      it("expects one", async () => {
        const noticed = new Promise((resolve) => process.once("unhandledRejection", resolve));
        void Promise.reject(new Error("expected"));
        if ((await noticed).message !== "expected") throw new Error("another one");
      });
    `);
    expect(stdout).to.include("1 passing");
    expect(status).to.equal(0);
  });

  it("fails nothing where the test has expected the same error", () => {
    const { status, stdout } = runMocha(`
      const { refusal } = require(${JSON.stringify(join(repository, "tests/support/refusal"))});
      it("expects one", async () => {
        const error = new Error("expected");
        void Promise.reject(error);
        await refusal(Promise.reject(error));
        await new Promise(setImmediate);
      });
    `);
    expect(stdout).to.include("1 passing");
    expect(status).to.equal(0);
  });
});
