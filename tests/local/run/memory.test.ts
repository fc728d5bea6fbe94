import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";

/** By how many bytes the heap grows over `measured` invocations with 10 kB each, after `before` others. */
async function grownBytes(before: number, measured: number): Promise<number> {
  const fixture = ["-r", join(__dirname, "../../../transpile"), join(__dirname, "memoryFixture.ts")];
  const { stdout } = await promisify(execFile)(process.execPath, [...fixture, String(before), String(measured)]);
  return JSON.parse(stdout) as number;
}

describe("the local run's memory", () => {
  it("is the same after 10,000 invocations more", async () => {
    // Half of what one in ten of the bodies would take.
    expect(await grownBytes(500, 10_000)).to.be.below(5_000_000);
  });
});
