import { expect } from "chai";
import { allBlocks, type Block, blocksOf, pages, placeOf } from "./blocks";
import { isCheckable } from "./check";
import { engineBlocks } from "./engineBlocks";
import { scenes } from "./scenes";
import { isRunnable } from "./scenes/alone";
import { browserScenes } from "./scenes/browser";

const fence = "```";

describe("the code blocks of README and docs", () => {
  const blocks = allBlocks();

  for (const page of pages) {
    it(`are all marked in ${page}, each with what is done with it`, () => {
      const problems = blocks
        .filter(({ file, problem }) => file === page && problem !== undefined)
        .map((block) => `${placeOf(block)}: ${block.problem}`);
      expect(problems, `\n${problems.join("\n")}\n`).to.deep.equal([]);
    });
  }

  it("are checked or run only where their language can be", () => {
    const possible = {
      check: isCheckable,
      run: isRunnable,
      // Programs in other languages are run, or checked with the generated SDK.
      engine: ({ language }: Block) => ["sh", "yaml", "python", "go"].includes(language),
      illustration: () => true,
    };
    const wrong = blocks.filter((block) => block.mark && !possible[block.mark.kind](block));
    const problems = wrong.map(
      (block) =>
        `${placeOf(block)}: nothing in tests/docs can ${block.mark?.kind} a block of ${block.language || "no language"}; ` +
        "add it there, or mark the block otherwise",
    );
    expect(problems, `\n${problems.join("\n")}\n`).to.deep.equal([]);
  });

  for (const [kind, names, file] of [
    ["run", Object.keys({ ...scenes, ...browserScenes }), "tests/docs/scenes"],
    ["engine", engineBlocks, "tests/docs/engineBlocks.ts"],
  ] as const) {
    it(`have a name that is a scene's, which no other block has, where they are marked ${kind}`, () => {
      const seen = new Map<string, string>();
      const problems = blocks.flatMap((block) => {
        const { mark } = block;
        if (mark?.kind !== kind || mark.name === undefined) return [];
        const other = seen.get(mark.name);
        seen.set(mark.name, placeOf(block));
        if (other !== undefined) return [`${placeOf(block)}: the name ${mark.name} is that of ${other}; give another`];
        return names.includes(mark.name)
          ? []
          : [`${placeOf(block)}: add ${mark.name} to ${file}, or take its name away`];
      });
      for (const name of names) {
        if (!seen.has(name)) problems.push(`${file}: no block is named ${name}; remove it there, or name its block`);
      }
      expect(problems, `\n${problems.join("\n")}\n`).to.deep.equal([]);
    });
  }
});

describe("the reader of code blocks", () => {
  const read = (...lines: string[]) => blocksOf("page.md", lines.join("\n"));

  it("gives a block with its line, its language and its text as printed", () => {
    expect(
      read("# Title", "", "<!-- docs: check -->", "", `${fence}ts title=a`, "one", "", "  two", fence),
    ).to.deep.equal([{ file: "page.md", line: 5, language: "ts", text: "one\n\n  two\n", mark: { kind: "check" } }]);
  });

  it("takes the list's indentation off a block in a list, and no more", () => {
    const [block] = read(
      "- item",
      "",
      "  <!-- docs: run -->",
      "",
      `  ${fence}sh`,
      "  if a; then",
      "    b",
      "  fi",
      `  ${fence}`,
    );
    expect(block).to.deep.include({ text: "if a; then\n  b\nfi\n", mark: { kind: "run", name: undefined } });
  });

  it("takes a shorter fence inside a block as its text", () => {
    const blocks = read("<!-- docs: illustration: a page -->", "````md", `${fence}ts`, "one", fence, "````");
    expect(blocks.map(({ text, problem }) => [text, problem])).to.deep.equal([
      [`${fence}ts\none\n${fence}\n`, undefined],
    ]);
  });

  const marks = {
    "run name=node-client": { kind: "run", name: "node-client" },
    "engine name=deploy": { kind: "engine", name: "deploy" },
    "illustration: Docker builds it": { kind: "illustration", reason: "Docker builds it" },
  };
  for (const [text, mark] of Object.entries(marks)) {
    it(`knows the mark ${text}`, () => {
      expect(read(`<!-- docs: ${text} -->`, `${fence}sh`, fence)[0]).to.deep.include({ mark });
    });
  }

  const refused: Record<string, { lines: string[]; problem: RegExp; line: number }> = {
    "a block without a mark": { lines: [`${fence}sh`, fence], problem: /^no mark .*docs: run/, line: 1 },
    "a mark that text separates from its block": {
      lines: ["<!-- docs: run -->", "Text.", `${fence}sh`, fence],
      problem: /^a mark without a block/,
      line: 1,
    },
    "a mark at the end of a page": { lines: ["<!-- docs: run -->"], problem: /^a mark without a block/, line: 1 },
    "a mark of another kind": {
      lines: ["<!-- docs: skip -->", `${fence}sh`, fence],
      problem: /^the mark is "skip"; allowed: .*docs: run/,
      line: 2,
    },
    "an unknown attribute": {
      lines: ["<!-- docs: run tool=aws -->", `${fence}sh`, fence],
      problem: /^the mark is "run tool=aws"/,
      line: 2,
    },
    "an engine block without a name": {
      lines: ["<!-- docs: engine -->", `${fence}sh`, fence],
      problem: /^the mark is "engine".*engine name=NAME/,
      line: 2,
    },
    "an illustration without a reason": {
      lines: ["<!-- docs: illustration: -->", `${fence}sh`, fence],
      problem: /^an illustration without a reason/,
      line: 2,
    },
    "a mark on the line of other text": {
      lines: ["So: <!-- docs: run -->", `${fence}sh`, fence],
      problem: /^a mark that is not a comment on a line of its own/,
      line: 1,
    },
    "a fence that is never closed": {
      lines: ["<!-- docs: run -->", `${fence}sh`, "ls"],
      problem: /^the fence is never closed/,
      line: 2,
    },
  };
  for (const [what, { lines, problem, line }] of Object.entries(refused)) {
    it(`refuses ${what}, and says what to do`, () => {
      const [first] = read(...lines).filter((block) => block.problem !== undefined);
      expect(first?.problem).to.match(problem);
      expect(first?.line).to.equal(line);
    });
  }
});
