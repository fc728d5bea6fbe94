import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";

interface Result {
  outputs?: Record<string, unknown>;
  error?: string;
  lateError?: string;
  created: { name: string; inputs: Record<string, unknown> }[];
}

async function run(program: string): Promise<Result> {
  const args = ["-r", join(__dirname, "../../../transpile"), join(__dirname, "runFixture.ts"), program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Result;
}

describe("runProgram", () => {
  it("provisions with secrets unwrapped, answers calls, and resolves with the stack's outputs", async () => {
    const { outputs, created } = await run("secret");
    expect(created).to.deep.equal([{ name: "queue", inputs: { policy: "hidden", tags: { key: "inner" } } }]);
    expect(outputs).to.deep.equal({ url: "url of queue", partition: "aws", secret: "told" });
  });

  it("calls a function that the program exports, and awaits what it returns", async () => {
    const { outputs, created } = await run("asyncFunction");
    expect(created).to.deep.equal([{ name: "queue", inputs: { policy: "aws" } }]);
    expect(outputs).to.deep.equal({ url: "url of queue" });
  });

  it("runs a program in its own folder", async () => {
    expect((await run("inFolder")).outputs).to.deep.equal({ nextToIt: "read from the folder of the program" });
  });

  it("names a resource that is registered after the run was ready", async () => {
    const { lateError, created } = await run("late");
    expect(lateError).to.match(/aws:sqs\/queue:Queue \(late\) was registered after the run was ready/);
    expect(created).to.deep.equal([]);
  });

  it("names the resource and the input that never resolves", async () => {
    const { error, created } = await run("never");
    expect(error).to.equal("never resolved, so never registered: aws:sqs/queue:Queue (never), input policy");
    expect(created.map(({ name }) => name)).to.deep.equal(["soon"]);
  });

  it("refuses a resource type that it does not know", async () => {
    expect((await run("unknown")).error).to.match(/^aws:s3\/bucket\S+ \(bucket\): the local run does not know/);
  });

  it("refuses a program with transforms, which mocks would silently ignore", async () => {
    expect((await run("transforms")).error).to.match(/^aws:sqs\/queue:Queue \(queue\) has transforms/);
  });

  it("refuses a call that it does not know, by name", async () => {
    expect((await run("unknownCall")).error).to.include("aws:index/getAvailabilityZones:getAvailabilityZones");
  });

  it("reads what exists for get(), and answers a call out of its arguments and what is provisioned", async () => {
    const { outputs, created } = await run("get");
    expect(created).to.deep.equal([{ name: "queue", inputs: { policy: "arn of theirs" } }]);
    expect(outputs).to.deep.equal({ url: "url of queue", asked: "url of queue, asked" });
  });

  it("refuses a get() of what does not exist, by type, name and id", async () => {
    const { error } = await run("getMissing");
    expect(error).to.equal(
      "aws:sqs/queue:Queue (existing): nothing exists here under the id missing that get() was given",
    );
  });

  it("refuses a get() of a type that cannot be read here", async () => {
    expect((await run("getUnreadable")).error).to.match(/^aws:sns\/\S+ \(existing\): the local run cannot read/);
  });

  it("rejects with a call's error", async () => {
    expect((await run("refusedCall")).error).to.equal("there is no queue missing");
  });

  it("rejects with an error out of an apply", async () => {
    expect((await run("brokenApply")).error).to.include("this apply is broken");
  });
});
