import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { repository } from "../support/repository";
import { printed } from "./otherLanguages";

/** As .ci/run sets it: what languages/install has built. Without it, these tests are left out. */
const { PULUMI_LANGUAGES = "" } = process.env;

describe("the SDKs that Pulumi generates from the schema", function () {
  this.timeout(600_000);

  let folder: string;
  before(async function () {
    if (PULUMI_LANGUAGES === "") return this.skip();
    folder = mkdtempSync(join(tmpdir(), "sdks-"));
    await run(join(PULUMI_LANGUAGES, "generate-sdk"), join(repository, "plugin/schema.json"), folder);
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const run = async (command: string, ...args: string[]) => {
    const options = { cwd: folder, maxBuffer: 2 ** 26 };
    const done = promisify(execFile)(command, args, options);
    const { code, stdout, stderr } = await done.then(
      (output) => ({ code: 0, ...output }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    return { code, output: `${stdout}\n${stderr}` };
  };

  describe("in Python", () => {
    const check = (text: string) => {
      writeFileSync(join(folder, "program.py"), text);
      const settings = {
        include: ["program.py"],
        extraPaths: ["python"],
        ...{ venvPath: PULUMI_LANGUAGES, venv: "python", typeCheckingMode: "strict" },
        // Of Pulumi's own packages.
        ...{ reportMissingTypeStubs: false, reportUnknownMemberType: false },
      };
      writeFileSync(join(folder, "pyrightconfig.json"), JSON.stringify(settings));
      return run(process.execPath, join(PULUMI_LANGUAGES, "node_modules/pyright/index.js"));
    };

    it("type-check the program of the docs", async () => {
      const { code, output } = await check(printed("python-program").text);
      expect(code, output).to.equal(0);
    });

    it("refuse a wrong type and a misspelled output", async () => {
      const { text } = printed("python-program");
      const wrong = text.replace("max_attempts=30", 'max_attempts="30"').replace("topic_arn", "topic_arm");
      const { code, output } = await check(wrong);
      expect(code).to.equal(1);
      expect(output)
        .to.match(/max_attempts/)
        .and.match(/topic_arm/);
    });
  });

  it("in Go compile the program of the docs", async () => {
    const module = join(folder, "go/websocketrelay");
    mkdirSync(join(module, "program"));
    writeFileSync(join(module, "program/main.go"), printed("go-program").text);
    const languages = join(__dirname, "languages");
    cpSync(join(languages, "go.sum"), join(module, "go.sum"));
    const requirements = readFileSync(join(languages, "go.mod"), "utf8");
    const name = "example.com/pulumi-websocket-relay/sdk/go/websocket-relay";
    writeFileSync(join(module, "go.mod"), requirements.replace(/^module .*$/m, `module ${name}`));
    // As languages/install builds, whose compiled packages are used again.
    const flags = ["-trimpath", "-tags", "osusergo,grpcnotrace", "-o", join(folder, "program")];
    const { code, output } = await run("go", "build", "-C", module, ...flags, "./program");
    expect(code, output).to.equal(0);
  });
});
