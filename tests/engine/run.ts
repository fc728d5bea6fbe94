import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { isPulumiInstalled } from "./programCopy";

// What `npm run test:engine` runs: the tests that need the pulumi CLI. With --optional, its absence is no failure.

const howTo =
  "They need the pulumi CLI (https://www.pulumi.com/docs/iac/download-install/) on PATH: npm run test:engine runs them.";

if (isPulumiInstalled()) {
  const repository = resolve(__dirname, "../..");
  const mocha = join(repository, "node_modules/mocha/bin/mocha.js");
  const { status } = spawnSync(process.execPath, [mocha, "tests/engine/*.engine.ts"], {
    cwd: repository,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
} else if (process.argv.includes("--optional")) {
  console.log(`The engine tests were left out. ${howTo}`);
} else {
  console.error(`The engine tests cannot run. ${howTo}`);
  process.exitCode = 1;
}
