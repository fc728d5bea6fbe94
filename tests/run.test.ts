import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";

const repository = resolve(__dirname, "..");

async function node(...args: string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ["-r", "./transpile", ...args], { cwd: repository });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number]>,
  ]);
  return { code, said: stdout + stderr };
}

describe("TypeScript and tests", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "run-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, source: string): string => {
    const file = join(folder, name);
    writeFileSync(file, source);
    return file;
  };
  const npmTest = (...folders: string[]) => node("tests/run.ts", ...folders);
  const ownFolder = () => relative(__dirname, folder);

  it("are run as the file is now, however often it was run before", async () => {
    for (const said of ["one", "two", "one"]) {
      const file = write("main.ts", `const said: string = "${said}";\nconsole.log(said);\n`);
      expect(await node(file)).to.deep.equal({ code: 0, said: `${said}\n` });
    }
  });

  it("have errors that name lines of TypeScript", async () => {
    const file = write("main.ts", 'interface Gone {\n  a: 1;\n}\n\nconsole.log(new Error("here").stack);\n');
    expect((await node(file)).said).to.match(/^Error: here\n.*main\.ts:5:13\)/);
  });

  it("are told as failed, by the folder, where one test fails", async () => {
    write("good.test.ts", 'it("is fine", () => undefined);\n');
    write("bad.test.ts", 'it("is not", () => { throw new Error("broken"); });\n');
    const { code, said } = await npmTest(ownFolder());
    expect(code).to.equal(1);
    expect(said)
      .to.include("1 passing")
      .and.include("broken")
      .and.include(`Failed: ${join("tests", ownFolder())}`);
  });

  it("are told as passed where none does", async () => {
    write("good.test.ts", 'it("is fine", () => undefined);\n');
    expect(await npmTest(ownFolder())).to.include({ code: 0 });
  });

  it("are refused of a folder without any", async () => {
    const { code, said } = await npmTest("protocol", "nowhere");
    expect(code).to.equal(1);
    expect(said).to.equal("tests/nowhere has no tests; allowed: a folder of tests, as in npm test -- local\n");
  });
});
