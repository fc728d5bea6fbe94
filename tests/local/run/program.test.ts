import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { programEntry } from "../../../local/run/program";

describe("programEntry", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "project-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The entry of a project with these files, relative to its folder. */
  function entryOf(files: Record<string, string>): { folder: string; path: string } {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    const entry = programEntry(folder);
    return { folder: entry.folder.replace(folder, "."), path: entry.path.replace(folder, ".") };
  }

  const found: [claim: string, files: Record<string, string>, entry: { folder: string; path: string }][] = [
    ["the project's index", { "Pulumi.yaml": "runtime: nodejs" }, { folder: ".", path: "./index" }],
    [
      "the file that main names, in its folder",
      { "Pulumi.yaml": "runtime: nodejs\nmain: infra/relay.ts", "infra/relay.ts": "" },
      { folder: "./infra", path: "./infra/relay.ts" },
    ],
    [
      "the file that main names without its extension",
      { "Pulumi.yaml": "runtime: nodejs\nmain: infra/relay", "infra/relay.ts": "" },
      { folder: "./infra", path: "./infra/relay.ts" },
    ],
    [
      "a file in a folder whose name begins with two periods",
      { "Pulumi.yaml": "runtime: nodejs\nmain: ..infra/relay.ts", "..infra/relay.ts": "" },
      { folder: "./..infra", path: "./..infra/relay.ts" },
    ],
    [
      "the JavaScript before the TypeScript of one name, as require does",
      { "Pulumi.yaml": "runtime: nodejs\nmain: relay", "relay.ts": "", "relay.js": "" },
      { folder: ".", path: "./relay.js" },
    ],
    [
      "the index of the folder that main names",
      { "Pulumi.yaml": "runtime: { name: nodejs, options: { typescript: true } }\nmain: infra/", "infra/index.ts": "" },
      { folder: "./infra", path: "./infra/index" },
    ],
    [
      "the entry of package.json",
      { "Pulumi.yaml": "runtime: nodejs", "package.json": '{"main":"bin/relay.js"}', "bin/relay.js": "" },
      { folder: ".", path: "./bin/relay.js" },
    ],
    [
      "the default export of package.json, before its main",
      {
        "Pulumi.yaml": "runtime: nodejs",
        "package.json": '{"main":"bin/other.js","exports":{".":{"default":"./bin/relay.js"}}}',
        "bin/relay.js": "",
        "bin/other.js": "",
      },
      { folder: ".", path: "./bin/relay.js" },
    ],
    [
      "the index where the entry of package.json does not exist",
      { "Pulumi.yaml": "runtime: nodejs", "package.json": '{"main":"bin/relay.js"}' },
      { folder: ".", path: "./index" },
    ],
  ];
  for (const [claim, files, entry] of found) {
    it(`finds ${claim}`, () => expect(entryOf(files)).to.deep.equal(entry));
  }

  const refused: [claim: string, files: Record<string, string>, message: string][] = [
    ["another language", { "Pulumi.yaml": "runtime: python" }, 'runtime is "python"; allowed: nodejs'],
    ["an absolute main", { "Pulumi.yaml": "runtime: nodejs\nmain: /infra" }, 'main is "/infra", an absolute path'],
    [
      "a main outside the project",
      { "Pulumi.yaml": "runtime: nodejs\nmain: ../a" },
      "outside the project; allowed: a file",
    ],
    ["a main that does not exist", { "Pulumi.yaml": "runtime: nodejs\nmain: infra" }, '"infra", which does not exist'],
    [
      "a program of ES modules",
      { "Pulumi.yaml": "runtime: nodejs", "package.json": '{"type":"module"}' },
      'type is "module"; allowed: a CommonJS program',
    ],
  ];
  for (const [claim, files, message] of refused) {
    it(`refuses ${claim}`, () => expect(() => entryOf(files)).to.throw(message));
  }
});
