import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { repository } from "../support/repository";

describe("npm run demo", () => {
  it("plays the flow to its end, and draws it", async () => {
    const demo = spawn(process.execPath, ["-r", "./transpile", "local/run/demo.ts"], {
      cwd: repository,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, "exit")]);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.include("ok  no session is left").and.include("sequenceDiagram");
    expect(stdout).not.to.include("warning");
  });
});
