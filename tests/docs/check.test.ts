import { expect } from "chai";
import { allBlocks, type Block } from "./blocks";
import { problemsOf } from "./check";

/** A block of each language that is wrong, and what is said of it. */
const wrong: Record<string, { text: string; problem: RegExp }> = {
  ts: {
    text: 'import { RelayClient } from "pulumi-websocket-relay/client";\nnew RelayClient({ url: 7 });\n',
    problem: /^wrong\.md:5: .*number.*string/,
  },
  sh: { text: "if true; then\n", problem: /^wrong\.md:3: .*syntax error/ },
  json: { text: "{ a: 1 }\n", problem: /^wrong\.md:3: .*JSON/ },
  yaml: {
    text: "config:\n  pulumi-websocket-relay:auth: null\n  pulumi-websocket-relay:maxAttempts: 0\n",
    problem: /^wrong\.md:3: maxAttempts: got 0/,
  },
  "": { text: "nowhere/  what is there\n", problem: /^wrong\.md:3: the repository has no nowhere\// },
};

describe("the code blocks that are checked", () => {
  const blocks = allBlocks().filter(({ mark }) => mark?.kind === "check" || mark?.kind === "run");

  for (const [language, { text, problem }] of Object.entries(wrong)) {
    // Together: a compiler takes most of its time for what they import.
    it(`have no error, and a wrong one is told with its place, as ${language || "listings of the repository"}`, () => {
      const printed = blocks.filter((block) => (block.language === "js" ? "ts" : block.language) === language);
      const given: Block = { file: "wrong.md", line: 3, language, text };
      const problems = problemsOf(language, [...printed, given]);
      const ofPages = problems.filter((each) => !each.startsWith("wrong.md"));
      expect(ofPages, `\n${ofPages.join("\n")}\n`).to.deep.equal([]);
      expect(problems.find((each) => each.startsWith("wrong.md"))).to.match(problem);
    }).timeout(120_000);
  }
});
