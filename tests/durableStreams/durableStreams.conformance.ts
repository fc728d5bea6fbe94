import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import lists from "./durableStreams.json";
import { startFacade } from "./streamFacade";

/*
 * The server conformance tests of the Durable Streams protocol, as its authors publish them, against the function that reads over
 * HTTP. It needs @durable-streams/server-conformance-tests and vitest, in the folder that DURABLE_STREAMS_TOOLS names: `.ci/run` installs
 * them.
 */

const spec = `
import { runConformanceTests } from "@durable-streams/server-conformance-tests";
runConformanceTests({ baseUrl: process.env.SERVER_URL });
`;

interface Result {
  name: string;
  status: string;
  message: string;
}

describe("the conformance tests of the Durable Streams protocol", function () {
  this.timeout(300_000);

  let results: Result[];

  before(async () => {
    const tools = process.env.DURABLE_STREAMS_TOOLS;
    if (!tools)
      throw new Error(
        "DURABLE_STREAMS_TOOLS is not set. Fix: run .ci/run, which installs the tests and names the folder",
      );
    const facade = await startFacade();
    try {
      results = await suite(tools, facade.url, lists.run);
    } finally {
      await facade.close();
    }
  });

  it("are listed once each: as run, or as left out for a reason", () => {
    const listed = [...lists.run, ...lists.leftOut.flatMap(({ tests }) => tests)];
    expect(
      listed.filter((name, index) => listed.indexOf(name) !== index),
      "more than once",
    ).to.deep.equal([]);
    const names = results.map(({ name }) => name);
    expect(
      listed.filter((name) => !names.includes(name)),
      "listed, but no test of the suite",
    ).to.deep.equal([]);
    expect(
      names.filter((name) => !listed.includes(name)),
      "of the suite, but not listed",
    ).to.deep.equal([]);
  });

  for (const name of lists.run) {
    it(name, () => {
      const result = results.find((each) => each.name === name);
      expect(result?.status, result?.message).to.equal("passed");
    });
  }
});

/** Runs the tests with these names, and returns the results of all: the others are skipped. */
async function suite(tools: string, baseUrl: string, names: readonly string[]): Promise<Result[]> {
  const folder = mkdtempSync(join(tools, "conformance-"));
  const outputFile = join(folder, "results.json");
  try {
    writeFileSync(join(folder, "suite.test.mjs"), spec);
    // In it, vitest joins the names of groups and test with spaces.
    const pattern = `^(${names.map((name) => escaped(name.replaceAll(" > ", " "))).join("|")})$`;
    const vitest = join(tools, "node_modules/vitest/vitest.mjs");
    const flags = [
      "run",
      "--root",
      folder,
      "--testTimeout=60000",
      "--reporter=json",
      `--outputFile=${outputFile}`,
      "-t",
      pattern,
    ];
    const options = { cwd: folder, env: { PATH: process.env.PATH, SERVER_URL: baseUrl }, maxBuffer: 1e8 };
    // It fails if a test fails: the report says which.
    const failed = await promisify(execFile)(process.execPath, [vitest, ...flags], options).catch(
      (error: Error) => error,
    );
    return readResults(outputFile, failed);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readResults(outputFile: string, failed: unknown): Result[] {
  let report: string;
  try {
    report = readFileSync(outputFile, "utf8");
  } catch {
    throw new Error(`vitest wrote no report: ${String(failed)}`);
  }
  const { testResults } = JSON.parse(report) as {
    testResults: {
      assertionResults: { ancestorTitles: string[]; title: string; status: string; failureMessages?: string[] }[];
    }[];
  };
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status, failureMessages = [] }) => ({
      name: [...ancestorTitles, title].join(" > "),
      status,
      message: failureMessages.join("\n"),
    })),
  );
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
