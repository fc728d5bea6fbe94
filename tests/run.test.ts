import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { BUILT_REPOSITORY } from "./support/builtRepository";
import { repository } from "./support/repository";

/** What a process of Node prints, and its exit code. */
function node(cwd: string, ...args: string[]): Promise<{ code: number; said: string }> {
  return nodeWith({}, cwd, ...args);
}

async function nodeWith(
  variables: NodeJS.ProcessEnv,
  cwd: string,
  ...args: string[]
): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ["-r", "./transpile", ...args], {
    cwd,
    env: { ...process.env, [BUILT_REPOSITORY]: undefined, ...variables },
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number]>,
  ]);
  return { code, said: stdout + stderr };
}

describe("transpile.js", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "transpile-"));
    for (const file of ["transpile.js", "tsconfig.json"]) cpSync(join(repository, file), join(folder, file));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(join(repository, "node_modules/typescript"), join(folder, "node_modules/typescript"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Without V8's own cache, which Node 22 and later write. */
  const cached = () => readdirSync(join(folder, "node_modules/.cache/transpile")).filter((name) => name !== "v8");
  const run = (name: string, source: string) => {
    const file = join(folder, name);
    writeFileSync(file, source);
    return node(folder, file);
  };

  it("runs a file as it is now, also after it was compiled before", async () => {
    for (const said of ["one", "two", "one"]) {
      const source = `const said: string = "${said}";\nconsole.log(said);\n`;
      expect(await run("main.ts", source)).to.deep.equal({ code: 0, said: `${said}\n` });
    }
  });

  it("caches one compiled file for each file of the repository", async () => {
    await run("main.ts", "export const one: number = 1;\n");
    await run("main.ts", "export const two: number = 2;\n");
    expect(cached()).to.have.lengthOf(1);
  });

  it("runs a file outside the repository, and caches nothing", async () => {
    const outside = mkdtempSync(join(tmpdir(), "outside-"));
    try {
      const file = join(outside, "main.ts");
      writeFileSync(file, 'const said: string = "out";\nconsole.log(said);\n');
      expect(await node(folder, file)).to.deep.equal({ code: 0, said: "out\n" });
      expect(cached()).to.deep.equal([]);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it("runs without a cache if it cannot create the cache's folder", async () => {
    // The superuser may write to read-only folders; a file in the folder's place stops every user.
    writeFileSync(join(folder, "node_modules/.cache"), "");
    const source = 'const said: string = "fine";\nconsole.log(said);\n';
    expect(await run("main.ts", source)).to.deep.equal({ code: 0, said: "fine\n" });
  });

  it("maps an error's stack to lines of TypeScript", async () => {
    const source = 'interface Gone {\n  a: 1;\n}\n\nconsole.log(new Error("here").stack);\n';
    expect((await run("main.ts", source)).said).to.match(/^Error: here\n.*main\.ts:5:13\)/);
  });
});

describe("npm test", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "run-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, source: string) => writeFileSync(join(folder, name), source);
  const npmTest = (...folders: string[]) => node(repository, "tests/run.ts", ...folders);
  const ownFolder = () => relative(__dirname, folder);

  it("prints the folder of a failing test and exits with 1", async () => {
    write("good.test.ts", 'it("is fine", () => undefined);\n');
    write("bad.test.ts", 'it("is not", () => { throw new Error("broken"); });\n');
    const { code, said } = await npmTest(ownFolder());
    expect(code).to.equal(1);
    expect(said)
      .to.include("1 passing")
      .and.include("broken")
      .and.include(`Failed: ${join("tests", ownFolder())}`);
  });

  it("exits with 0 when all tests pass", async () => {
    write("good.test.ts", 'it("is fine", () => undefined);\n');
    const { code, said } = await npmTest(ownFolder());
    expect(said).to.include("1 passing").and.not.include("Failed");
    expect(code).to.equal(0);
  });

  it("takes a folder with a trailing slash, as a shell completes it", async () => {
    write("good.test.ts", 'it("is fine", () => undefined);\n');
    const { code, said } = await npmTest(`${ownFolder()}/`);
    expect(said)
      .to.include(`${join("tests", ownFolder())}, `)
      .and.include("1 passing");
    expect(code).to.equal(0);
  });

  it("prints why the build failed, and each test that needs it", async () => {
    writeFileSync(join(folder, "npm"), "#!/bin/sh\necho cannot pack >&2\nexit 1\n", { mode: 0o755 });
    const PATH = [folder, process.env.PATH].join(delimiter);
    const { code, said } = await nodeWith({ PATH }, repository, "tests/run.ts", "package");
    const tests = readdirSync(join(repository, "tests/package")).filter((file) => file.endsWith(".test.ts"));
    const files = tests.map((file) => join("tests/package", file));
    expect(tests).to.have.length.above(1);
    expect(said)
      .to.match(/The build failed: .*cannot pack/s)
      .and.include(`Failed: ${files.sort().join(", ")}`);
    expect(code).to.equal(1);
  });

  it("refuses a folder without tests", async () => {
    const { code, said } = await npmTest("protocol", "nowhere");
    expect(code).to.equal(1);
    expect(said).to.equal("tests/nowhere has no tests; allowed: a folder of tests, as in npm test -- local\n");
  });

  it("refuses a file, with the command for one file", async () => {
    const { code, said } = await npmTest("layers.test.ts");
    expect(code).to.equal(1);
    expect(said).to.equal(
      "tests/layers.test.ts is a file; allowed: a folder of tests. Fix: run npx mocha tests/layers.test.ts\n",
    );
  });
});
