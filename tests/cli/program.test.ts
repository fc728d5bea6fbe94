import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";
import { table } from "../../cli/output";
import { run } from "../../cli/program";
import type { Terminal } from "../../cli/terminal";
import { repository } from "../support/repository";

/** A run that reads addresses only from stdin. */
async function cli(args: string[], stdin = "{}", interrupted = new AbortController().signal) {
  const printed: string[] = [];
  const noted: string[] = [];
  const terminal: Terminal = {
    print: (text) => printed.push(text),
    note: (text) => noted.push(text),
    confirm: () => Promise.reject(new Error("unexpected question")),
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
  it("prints its commands, and each command's options besides the global ones", async () => {
    const { exitCode, printed } = await cli(["--help"]);
    expect(exitCode).to.equal(0);
    expect(printed)
      .to.match(/dead-letters/)
      .and.match(/sessions/)
      .and.match(/cost/)
      .and.match(/capacity/)
      .and.match(/--addresses/);
    const redrive = await cli(["dead-letters", "redrive", "--help"]);
    expect(redrive.printed)
      .to.match(/--message-id/)
      .and.match(/--queue/)
      .and.match(/--dry-run/)
      .and.match(/--stack/);
  });

  it("prints the package's version when run from the sources", async () => {
    const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { version: string };
    expect(await cli(["--version"])).to.deep.equal({ exitCode: 0, printed: version, noted: "" });
  });

  it("prints the package's version when run from dist", () => {
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
    ["capacity without clients", ["capacity", "--messages-per-second", "1"], /required option '--clients <n>'/],
    [
      "a heartbeat that comes too late to keep a connection open",
      ["capacity", "--clients", "1", "--messages-per-second", "1", "--heartbeat-seconds", "600"],
      /option '--heartbeat-seconds <n>' argument '600' is invalid\. Allowed: a number from 0 to 599/,
    ],
    ["a share above 1", ["cost", "--messages", "1", "--away-share", "2"], /Allowed: a number from 0 to 1/],
    ["an empty count", ["cost", "--messages", ""], /Allowed: a number from 0/],
    ["a fraction of attempts", ["cost", "--messages", "1", "--max-attempts", "1.5"], /Allowed: a whole number/],
    ["an unknown delivery", ["cost", "--messages", "1", "--delivery", "push"], /Allowed choices are retry, replay/],
    [
      "an option without effect in retry mode",
      ["cost", "--messages", "1", "--ordering", "strict"],
      /error: --ordering: got "strict"; allowed: only with --delivery replay\. Fix: leave it out/,
    ],
    [
      "receipts in retry mode",
      ["cost", "--messages", "1", "--receipts"],
      /error: --receipts: got true; allowed: only with --delivery replay\. Fix: leave it out/,
    ],
    ["two sources of addresses", ["dead-letters", "list", "--addresses", "-", "--stack", "dev"], /cannot be used with/],
    ["a stack that does not exist", ["dead-letters", "list"], /error: no stack/],
    ["incomplete addresses", ["dead-letters", "list", "--addresses", "-"], /error: the addresses have no/],
  ];
  for (const [name, args, error] of refused) {
    it(`refuses ${name} with exit code 1, on stderr`, async () => {
      const { exitCode, printed, noted } = await cli(args);
      expect(exitCode).to.equal(1);
      expect(printed).to.equal("");
      expect(noted).to.match(error);
    });
  }

  it("purges nothing without a filter or --all", async () => {
    const { exitCode, noted } = await cli(["dead-letters", "purge", "--yes", "--addresses", "-"]);
    expect(exitCode).to.equal(1);
    expect(noted).to.match(/purge: got no filter; allowed: at least one filter, or --all\. Fix: add --user/);
  });

  it("exits with 130 after Ctrl-C", async () => {
    const addresses = {
      topicArn: "arn:aws:sns:eu-west-1:111122223333:topic",
      tableName: "t",
      managementEndpoint: "https://api.test",
      region: "eu-west-1",
      accessKeyId: "local",
      secretAccessKey: "local",
    };
    const args = ["sessions", "disconnect", "--user", "42", "--yes", "--addresses", "-"];
    const { exitCode, noted } = await cli(args, JSON.stringify(addresses), AbortSignal.abort());
    expect(noted).to.match(/abort/i);
    expect(exitCode).to.equal(130);
  });

  const fleet = ["capacity", "--clients", "1000000", "--messages-per-second", "5000", "--delivery", "replay"];

  it("says what to set for a fleet as commands to paste, with those that raise quotas, and what it costs", async () => {
    const { exitCode, printed } = await cli([...fleet, "--region", "eu-west-1"]);
    expect(exitCode).to.equal(0);
    expect(printed)
      .to.match(/^pulumi config set pingThrottlingRateLimit \d+$/m)
      .and.match(/^aws service-quotas request-service-quota-increase --region eu-west-1 .* --desired-value \d+$/m)
      .and.match(/^Over the limit: units of a new history table.* Fix: /m)
      .and.match(/^About [\d,]+ USD for 13,140,000,000 messages a month and 1,000,000 connections on average/m);
  });

  it("says the same number of executions in the load as in the quota", async () => {
    const { printed } = await cli([
      "capacity",
      "--clients",
      "200000",
      "--messages-per-second",
      "2000",
      "--delivery",
      "replay",
    ]);
    const [, inLoad] = /^executions of functions +([\d,]+) at one time/m.exec(printed) ?? [];
    const [, inQuota] = /^Lambda: concurrent executions.*L-B99A9384 +1,000 +([\d,]+) /m.exec(printed) ?? [];
    expect(inLoad).to.equal("930").and.equal(inQuota);
  });

  it("says that a small fleet needs nothing", async () => {
    const { printed } = await cli(["capacity", "--clients", "100", "--messages-per-second", "1"]);
    expect(printed)
      .to.match(/^The default of every argument is enough\.$/m)
      .and.match(/^An account's default quotas/m);
    expect(printed).not.to.match(/pulumi config set|service-quotas|Over the limit/);
  });

  it("prints the plan of a fleet as one line of JSON", async () => {
    const { printed } = await cli([...fleet, "--json"]);
    const plan = JSON.parse(printed) as Record<string, unknown>;
    expect(plan).to.include({ region: "us-east-1", currency: "USD" });
    expect(plan).to.include.keys(
      "fleet",
      "workload",
      "load",
      "settings",
      "quotas",
      "increases",
      "ceilings",
      "monthlyUsd",
    );
    expect(plan.config).to.include({ maximumConcurrency: 320 });
  });

  it("estimates a month as a table, with prices, their date, and the costs that are not included", async () => {
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
    it(`${shown ? "prints" : "omits"} the options of replay mode in ${delivery} mode`, async () => {
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
  it("pads its columns, and escapes control characters", () => {
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
