import { once } from "node:events";
import type { Readable } from "node:stream";
import { expect } from "chai";
import { ChildProcesses } from "../../../local/run/childProcesses";

/** Ends at SIGTERM with exit code 7, and ignores SIGINT. */
const program = `
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => process.exit(7));
  setInterval(() => undefined, 1_000);
  console.log("ready");
`;

describe("the child processes of a run", () => {
  it("get SIGTERM, and have ended when the call resolves", async () => {
    const children = new ChildProcesses();
    const child = children.start(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout as Readable, "data");
    await children.end("SIGTERM");
    expect(child.exitCode).to.equal(7);
  });

  it("get SIGINT from the terminal only, and are waited for", async () => {
    const children = new ChildProcesses();
    const child = children.start(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout as Readable, "data");
    const ended = children.end("SIGINT");
    expect(child.killed).to.equal(false);
    child.kill("SIGTERM");
    await ended;
    expect(child.exitCode).to.equal(7);
  });

  it("are not started while the run ends", async () => {
    const children = new ChildProcesses();
    await children.end("SIGTERM");
    expect(() => children.start("pulumi", ["up"], {})).to.throw("pulumi is not started: the run is ending");
  });

  it("are not waited for if they could not be started", async () => {
    const children = new ChildProcesses();
    const child = children.start("/nowhere/pulumi", [], {});
    const [error] = (await once(child, "error")) as [NodeJS.ErrnoException];
    expect(error.code).to.equal("ENOENT");
    await children.end("SIGTERM");
  });
});
