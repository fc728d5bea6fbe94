import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { CallbackFunction, type CallbackFunctionArgs } from "../../../components";
import { record, valueOf } from "../../support/recorder";

const args: CallbackFunctionArgs = {
  callbackFactory: () => async () => Promise.resolve("done"),
  environment: {},
  policyStatements: [],
  timeoutSeconds: 10,
  logRetentionInDays: 30,
};

describe("CallbackFunction", () => {
  it("ships the given files besides its callback", async () => {
    const files = {
      "greeting.txt": "hello",
      "name.txt": pulumi.output("Ada"),
      "code.js": Promise.resolve("exports.x = 1"),
    };
    const archive = await archiveOf({ ...args, files });

    expect(Object.keys(archive)).to.have.members(["index.js", "greeting.txt", "name.txt", "code.js"]);
    expect(archive).to.include({ "greeting.txt": "hello", "name.txt": "Ada", "code.js": "exports.x = 1" });
    expect(archive["index.js"]).to.include("done");
  });

  const unusable: [what: string, given: unknown, says: RegExp][] = [
    ["no arguments", undefined, /^args: got undefined; allowed: an object with callbackFactory/],
    ["a function for arguments", () => 1, /^args: /],
    [
      "a callback that is none",
      { ...args, callbackFactory: "handler" },
      /^callbackFactory: got "handler"; .* a function/,
    ],
    [
      "a key with a typing error",
      { ...args, timeoutSecond: 1 },
      /^timeoutSecond: .* \(did you mean timeoutSeconds\?\)/,
    ],
    [
      "a log level that Lambda does not know",
      { ...args, applicationLogLevel: "info" },
      /^applicationLogLevel: got "info"; allowed: "TRACE" or .* Fix: write "INFO"/,
    ],
  ];
  for (const [what, given, says] of unusable) {
    it(`refuses ${what} before anything is registered`, async () => {
      let refused: unknown;
      const { registrations } = await record(() => {
        try {
          new CallbackFunction("greet", given as CallbackFunctionArgs);
        } catch (error) {
          refused = error;
        }
      });
      expect(pulumi.InputPropertyError.isInstance(refused) ? refused.reason : refused).to.match(says);
      expect(registrations).to.deep.equal([]);
    });
  }

  for (const [given, level] of [
    [undefined, "INFO"],
    ["ERROR", "ERROR"],
  ] as const) {
    it(`logs at the level ${level} where ${given ?? "no level"} is given, and of Lambda itself only what fails`, async () => {
      let fn!: CallbackFunction;
      const { registrations } = await record(
        () => (fn = new CallbackFunction("greet", { ...args, applicationLogLevel: given })),
      );
      await valueOf(fn.function.arn);
      const registered = registrations.find(({ type }) => type === "aws:lambda/function:Function");
      expect(registered?.inputs.loggingConfig).to.include({ systemLogLevel: "WARN", applicationLogLevel: level });
    });
  }

  it("finds what its callback requires in the folder that it names", async () => {
    const callbackFactory = () => {
      const { backoffSeconds } = require("./backoff") as typeof import("../../../handlers/deliver/backoff");
      return async () => Promise.resolve(backoffSeconds(1, { minSeconds: 1, maxSeconds: 1 }, () => 0));
    };
    const archive = await archiveOf({
      ...args,
      callbackFactory,
      requireFrom: resolve(__dirname, "../../../handlers/deliver"),
    });

    expect(archive["index.js"]).to.include("backoffSeconds");
  });
});

/** The files of the archive that the function would be made of, by name. */
async function archiveOf(given: CallbackFunctionArgs): Promise<Record<string, string>> {
  let fn!: CallbackFunction;
  const { registrations, errors } = await record(() => (fn = new CallbackFunction("greet", given)));
  // It is registered only when its callback is bundled.
  await valueOf(fn.function.arn);
  expect(errors).to.deep.equal([]);
  const registered = registrations.find(({ type }) => type === "aws:lambda/function:Function");
  const { code } = registered?.inputs as { code: pulumi.asset.AssetArchive };
  const assets = Object.entries((await code.assets) as Record<string, pulumi.asset.StringAsset>);
  return Object.fromEntries(await Promise.all(assets.map(async ([name, { text }]) => [name, await text] as const)));
}
