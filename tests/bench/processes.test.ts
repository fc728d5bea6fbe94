import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { withCheckout } from "../../bench/checkout";
import { FunctionLogs } from "../../bench/functionLogs";
import { relayConfig } from "../../bench/relayConfig";
import { spec } from "../../components/args/spec";
import { LocalMetrics } from "../../local/cloudwatch/metrics";
import { repository } from "../support/repository";

const run = promisify(execFile);

describe("the lines of functions", () => {
  it("are counted by function as they were written, metrics included, and other lines of the local run are not", () => {
    const [logs, metrics] = [new FunctionLogs(), new LocalMetrics()];
    logs.watch(metrics);
    // As the local run logs a function's line: shortened if it is a metric.
    const written = (name: string, line: string) => logs.logged(`${name}: ${metrics.take(line) ?? line}`);
    const metric = JSON.stringify({
      _aws: {
        Timestamp: 1,
        CloudWatchMetrics: [{ Namespace: "N", Dimensions: [["Relay"]], Metrics: [{ Name: "Delivered" }] }],
      },
      Relay: "r",
      Delivered: 1,
    });
    written("relay-deliver-1", "one");
    written("relay-deliver-1", metric);
    logs.logged("polling failed: an error");
    expect(logs.taken()).to.deep.equal({ "relay-deliver-1": { lines: 2, bytes: 3 + 26 + metric.length + 26 } });
    expect(logs.taken()).to.deep.equal({});
  });
});

describe("the shifted clock of a function", () => {
  it("is ahead, in every way to read it, and moves an invocation's deadline along", async () => {
    const script = `
      const started = Date.now();
      process.on("message", () => undefined);
      const message = { context: { deadlineMs: 5 } };
      process.emit("message", message);
      process.stdout.write(JSON.stringify({
        now: started,
        constructed: new Date().getTime(),
        given: new Date(7).getTime(),
        isDate: new Date() instanceof Date,
        deadlineMs: message.context.deadlineMs,
      }));
      process.exit();
    `;
    const beforeMs = Date.now();
    const env = { ...process.env, CLOCK_SHIFT_MS: "86400000" };
    const clock = join(repository, "bench/shiftedClock.js");
    const { stdout } = await run(process.execPath, ["--require", clock, "-e", script], { env });
    const read = JSON.parse(stdout) as Record<string, number>;
    expect(read.now).to.be.at.least(beforeMs + 86_400_000);
    expect(read.constructed).to.be.at.least(read.now as number);
    expect(read).to.include({ given: 7, isDate: true, deadlineMs: 86_400_005 });
  });
});

describe("the config of a measured relay", () => {
  it("has the relay's own defaults where the stack dev has others", () => {
    const config = relayConfig("replay");
    expect(config).to.include({
      delivery: "replay",
      maxAttempts: String(spec.maxAttempts.default),
      backoffMaxSeconds: String(spec.backoffMaxSeconds.default),
      maximumConcurrency: String(spec.maximumConcurrency.default),
    });
    expect(config).to.not.have.any.keys("auth", "allowedOrigins");
  });
});

describe("a checkout of the base", () => {
  it("has the commit's files, this checkout's bench and packages, and is removed afterwards", async () => {
    const { stdout } = await run("git", ["rev-parse", "HEAD"], { cwd: repository });
    const seen = await withCheckout("HEAD", async ({ folder, commit }) => {
      const list = async (path: string) => (await run("ls", [join(folder, path)])).stdout.split("\n");
      return { folder, commit, root: await list("."), bench: await list("bench") };
    });
    expect(seen.commit).to.equal(stdout.trim());
    expect(seen.root).to.include.members(["node_modules", "handlers", "client", "package.json"]);
    expect(seen.bench).to.include("measureProcess.ts");
    expect(await run("ls", [seen.folder]).catch(() => "removed")).to.equal("removed");
  });

  it("is removed also if the measurement fails", async () => {
    let folder = "";
    const failure = await withCheckout("HEAD", (checkout) => {
      folder = checkout.folder;
      return Promise.reject(new Error("measured nothing"));
    }).catch((error: Error) => error.message);
    expect(failure).to.equal("measured nothing");
    expect(await run("ls", [folder]).catch(() => "removed")).to.equal("removed");
  });

  it("is refused for what is no commit", async () => {
    const refused = await withCheckout("no-such-commit", () => Promise.resolve("")).catch(
      (error: Error) => error.message,
    );
    expect(refused).to.match(/--base no-such-commit: got no commit.*Fix/);
  });
});
