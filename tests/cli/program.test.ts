import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";
import { table } from "../../cli/output";
import { run } from "../../cli/program";
import type { Terminal } from "../../cli/terminal";
import { repository } from "../support/repository";

/** A run whose only address source is what a test pipes in. */
async function cli(args: string[], stdin = "{}", interrupted = new AbortController().signal) {
  const printed: string[] = [];
  const noted: string[] = [];
  const terminal: Terminal = {
    print: (text) => printed.push(text),
    note: (text) => noted.push(text),
    confirm: () => Promise.reject(new Error("nobody is to be asked")),
    interrupted,
  };
  const sources = {
    readFile: () => Promise.reject(new Error("no file")),
    readStdin: () => Promise.resolve(stdin),
    stackOutput: () => Promise.reject(new Error("no stack")),
  };
  const exitCode = await run(args, terminal, sources);
  return { exitCode, printed: printed.join("\n"), noted: noted.join("\n") };
}

describe("the command line", () => {
  it("tells its commands, and each command's options beside those that all have", async () => {
    const { exitCode, printed } = await cli(["--help"]);
    expect(exitCode).to.equal(0);
    expect(printed)
      .to.match(/dead-letters/)
      .and.match(/sessions/)
      .and.match(/cost/)
      .and.match(/--addresses/);
    const redrive = await cli(["dead-letters", "redrive", "--help"]);
    expect(redrive.printed)
      .to.match(/--message-id/)
      .and.match(/--queue/)
      .and.match(/--dry-run/)
      .and.match(/--stack/);
  });

  it("prints the package's version, out of the sources", async () => {
    const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { version: string };
    expect(await cli(["--version"])).to.deep.equal({ exitCode: 0, printed: version, noted: "" });
  });

  it("prints the package's version, out of dist", () => {
    const folder = mkdtempSync(join(tmpdir(), "version-"));
    try {
      mkdirSync(join(folder, "dist", "cli"), { recursive: true });
      writeFileSync(join(folder, "package.json"), '{ "version": "1.2.3" }');
      const source = readFileSync(join(repository, "cli", "version.ts"), "utf8");
      const options = { compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 } };
      writeFileSync(join(folder, "dist", "cli", "version.js"), transpileModule(source, options).outputText);
      const { packageVersion } = require(join(folder, "dist", "cli", "version.js")) as { packageVersion(): string };
      expect(packageVersion()).to.equal("1.2.3");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const refused: [string, string[], RegExp][] = [
    ["an unknown command", ["letters"], /unknown command 'letters'/],
    ["an unknown queue", ["dead-letters", "list", "--queue", "retry"], /Allowed choices are dead-letter, subscription/],
    ["sessions without a user", ["sessions", "list"], /required option '--user <code>'/],
    ["cost without messages", ["cost"], /required option '--messages <n>'/],
    ["a part that is over one", ["cost", "--messages", "1", "--away-share", "2"], /Allowed: a number from 0 to 1/],
    ["a count that is none", ["cost", "--messages", ""], /Allowed: a number from 0/],
    [
      "attempts that are no whole number",
      ["cost", "--messages", "1", "--max-attempts", "1.5"],
      /Allowed: a whole number/,
    ],
    [
      "a delivery that there is not",
      ["cost", "--messages", "1", "--delivery", "push"],
      /Allowed choices are retry, replay/,
    ],
    [
      "what means nothing where messages are retried",
      ["cost", "--messages", "1", "--ordering", "strict"],
      /error: --ordering: got "strict"; allowed: with --delivery replay alone/,
    ],
    [
      "receipts where messages are retried",
      ["cost", "--messages", "1", "--receipts"],
      /error: --receipts: got true; allowed: with --delivery replay alone/,
    ],
    ["two places of addresses", ["dead-letters", "list", "--addresses", "-", "--stack", "dev"], /cannot be used with/],
    ["a stack that is not there", ["dead-letters", "list"], /error: no stack/],
    ["addresses that lack one", ["dead-letters", "list", "--addresses", "-"], /error: the addresses have no/],
  ];
  for (const [name, args, error] of refused) {
    it(`refuses ${name} with exit code 1, on stderr`, async () => {
      const { exitCode, printed, noted } = await cli(args);
      expect(exitCode).to.equal(1);
      expect(printed).to.equal("");
      expect(noted).to.match(error);
    });
  }

  it("purges nothing where neither a filter nor --all is given", async () => {
    const { exitCode, noted } = await cli(["dead-letters", "purge", "--yes", "--addresses", "-"]);
    expect(exitCode).to.equal(1);
    expect(noted).to.match(/purge: no filter is given; allowed: at least one of them, or --all/);
  });

  it("exits with 130 where Ctrl-C ends what it was doing", async () => {
    const addresses = {
      ...{
        topicArn: "arn:aws:sns:eu-west-1:111122223333:topic",
        tableName: "t",
        managementEndpoint: "https://api.test",
      },
      ...{ region: "eu-west-1", accessKeyId: "local", secretAccessKey: "local" },
    };
    const args = ["sessions", "disconnect", "--user", "42", "--yes", "--addresses", "-"];
    const { exitCode, noted } = await cli(args, JSON.stringify(addresses), AbortSignal.abort());
    expect(noted).to.match(/abort/i);
    expect(exitCode).to.equal(130);
  });

  it("estimates a month as a table, with prices, their date, and what is not included", async () => {
    const { exitCode, printed } = await cli(["cost", "--messages", "1000000", "--connections", "1000"]);
    expect(exitCode).to.equal(0);
    expect(printed).to.match(
      /API Gateway +connection minutes +43,800,000 +0\.25 a million +10\.95 +connections x 43800/,
    );
    expect(printed).to.match(/^total +\d+\.\d{2}$/m);
    expect(printed)
      .to.match(/Prices of us-east-1, looked up on \d{4}-\d{2}-\d{2}/)
      .and.match(/Not included: free tiers/);
  });

  it("estimates a month as JSON, whose items add up", async () => {
    const { printed } = await cli(["cost", "--messages", "1000000", "--json"]);
    const { items, totalUsd, region } = JSON.parse(printed) as {
      items: { count: number; price: number; per: number }[];
      totalUsd: number;
      region: string;
    };
    expect(region).to.equal("us-east-1");
    expect(totalUsd).to.be.closeTo(
      items.reduce((sum, { count, price, per }) => sum + (count / per) * price, 0),
      1e-9,
    );
  });

  for (const [delivery, shown] of [
    ["retry", false],
    ["replay", true],
  ] as const) {
    it(`shows ${shown ? "" : "nothing "}of the month what replay alone has, where the delivery is ${delivery}`, async () => {
      const { printed } = await cli(["cost", "--messages", "1", "--delivery", delivery, "--json"]);
      const { workload } = JSON.parse(printed) as { workload: Record<string, unknown> };
      expect(workload.delivery).to.equal(delivery);
      for (const key of ["ordering", "receipts", "historyRetentionSeconds", "messagesPerAck", "messagesPerReturn"]) {
        expect(key in workload, key).to.equal(shown);
      }
    });
  }
});

describe("a table", () => {
  it("pads its columns, and shows no control characters of others", () => {
    expect(
      table(
        ["user", "reason"],
        [
          ["\u001b[31mred", "none"],
          ["1", "a\nb"],
        ],
      ),
    ).to.equal(["user           reason", "\\u{1b}[31mred  none", "1              a\\u{a}b"].join("\n"));
  });
});
