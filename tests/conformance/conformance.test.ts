import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { requirements } from "../../cli/conformance/requirements";
import { type Result, testClient } from "../../cli/conformance/suite";
import { repository } from "../support/repository";
import { builtAdapter } from "./builtAdapter";
import { faults } from "./faults";

describe("the conformance suite", function () {
  this.timeout(180_000);

  const adapter = builtAdapter();
  const { signal } = new AbortController();
  // Of the adapter's time-outs, which are shorter than the protocol's.
  const watch = { quietMs: 1_000, pongWaitMs: 2_500 };
  let ofClient: Result[] = [];
  const ofWrongClients = new Map<string, Result>();

  // Together, since both wait more than they work.
  before(async () => {
    const rest = [...requirements];
    const work = async () => {
      for (let next; (next = rest.shift());) {
        const command = [...adapter.command, next.id];
        const [result] = await testClient([next], { command, jobs: 1, timeLimitSeconds: 8, signal, ...watch });
        if (result) ofWrongClients.set(next.id, result);
      }
    };
    const [results] = await Promise.all([
      testClient(requirements, { command: adapter.command, jobs: 16, signal, ...watch }),
      ...Array.from({ length: 16 }, work),
    ]);
    ofClient = results;
  });

  it("finds that RelayClient meets every requirement", () => {
    expect(ofClient.map(({ id }) => id)).to.deep.equal(requirements.map(({ id }) => id));
    expect(ofClient.filter(({ met }) => !met)).to.deep.equal([]);
  });

  it("has a wrong client for each requirement, and for nothing else", () => {
    expect(Object.keys(faults)).to.have.members(requirements.map(({ id }) => id));
  });

  for (const { id, text } of requirements) {
    it(`finds a client that does not meet ${id}: ${text}`, () => {
      expect(ofWrongClients.get(id)?.met).to.equal(false);
      expect(ofWrongClients.get(id)?.reason).to.match(faults[id]?.reason ?? /^$/);
    });
  }

  it("tests the requirements that docs/protocol.md lists, with the same words", () => {
    const rows = readFileSync(join(repository, "docs/protocol.md"), "utf8")
      .split("\n## Requirements\n")[1]
      ?.split("\n## ")[0]
      ?.split("\n")
      .filter((line) => /^\| [A-Z]\d/.test(line))
      .map((line) =>
        line
          .split("|")
          .slice(1, 4)
          .map((cell) => cell.trim()),
      );
    expect(rows).to.deep.equal(requirements.map(({ id, level, text }) => [id, level, text]));
  });
});
