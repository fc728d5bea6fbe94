import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { CallbackFunction, WebsocketRelay, type WebsocketRelayArgs } from "../../../components";
import { resolveArgs } from "../../../components/args/args";
import { bundleCallback } from "../../../components/lambda/bundle";
import { kmsKeyPolicyStatements } from "../../../components/data/encryption";
import { refuse } from "../../../components/args/refuse";
import { bundleOwn } from "../../../components/functions/ownBundle";
import { requireComputed } from "../../../components/args/requireComputed";
import { refuseUnknownConfig } from "../../../components/args/stackConfig";
import { refusal } from "../../support/refusal";
import { record } from "../../support/recorder";
import { auth } from "../../support/relayRun";

const relayOf = (args: object) => new WebsocketRelay("relay", { auth, ...args } as WebsocketRelayArgs);

describe("a refused value", () => {
  const text = 'size: got "big"; allowed: a number. Fix: write 1.';
  const refused = () => thrownBy(() => refuse("size", "big", "a number", "write 1"));

  it("is thrown as an InputPropertyError that is a RunError, too", () => {
    const error = refused();
    expect(error).to.be.instanceOf(pulumi.InputPropertyError);
    expect(pulumi.InputPropertyError.isInstance(error)).to.equal(true);
    expect(pulumi.RunError.isInstance(error)).to.equal(true);
    expect(error).to.include({ message: text, reason: text, propertyPath: "size" });
  });

  it("is known for both by another copy of the SDK", () => {
    const { InputPropertyError, RunError } = anotherCopyOfErrors();
    const error = refused();
    expect(error).not.to.be.instanceOf(InputPropertyError);
    expect(InputPropertyError.isInstance(error)).to.equal(true);
    expect(RunError.isInstance(error)).to.equal(true);
  });

  it("has its message for a stack, which Pulumi prints once the program has ended", () => {
    expect(refused().stack).to.equal(text);
  });

  it("shows nothing of how that is made when it is inspected", () => {
    expect(Object.keys(refused())).to.have.members(["__pulumiInputPropertyError", "propertyPath", "reason"]);
    expect(inspect(refused())).not.to.match(/^ +at /m);
  });

  it("keeps its message on its way through the resources that depend on it", async () => {
    const kmsKeyArn = pulumi.output(Promise.resolve("alias/relay"));
    const { errors } = await record(() => relayOf({ kmsKeyArn }));
    expect([...new Set(errors.map(({ message }) => message))]).to.deep.equal([
      `kmsKeyArn: got "alias/relay"; allowed: a key's ARN, arn:aws:kms:{region}:{account}:key/{id}. ` +
        "Fix: give the key's ARN, not an alias or an id.",
    ]);
  });

  it("is one error for each argument where several turn out to be wrong", async () => {
    const later = <T>(value: T) => pulumi.output(Promise.resolve(value));
    const args = { kmsKeyArn: later("alias/relay"), allowedOrigins: later(["https://*"]), topicArn: later("chat") };
    const { errors } = await record(() => relayOf(args), { awaitedErrors: 3 });
    const paths = [...new Set(errors)].map((error) => (error as pulumi.InputPropertyError).propertyPath);
    expect(paths).to.have.members(["kmsKeyArn", "allowedOrigins[0]", "topicArn"]);
  });
});

describe("what a program's author has to correct", () => {
  const callback = { environment: {}, policyStatements: [], timeoutSeconds: 1, logRetentionInDays: 1 };
  const captured = new Set([1]);
  const getter = Object.getOwnPropertyDescriptor(Map.prototype, "size")?.get;

  const thrown: [what: string, thrower: () => unknown][] = [
    ["a relay's name", () => new WebsocketRelay("a b", { auth })],
    ["a relay's argument", () => relayOf({ maxAttempts: 0 })],
    ["a key of a relay's arguments", () => relayOf({ maxAttemps: 1 })],
    ["a key within auth", () => relayOf({ auth: { oidcc: {} } })],
    ["an allowed origin", () => relayOf({ allowedOrigins: ["*"] })],
    ["a function's name", () => new CallbackFunction("a b", { ...callback, callbackFactory: () => () => 1 })],
    ["a function's argument", () => new CallbackFunction("own", { ...callback, callbackFactory: 1 as never })],
    ["a key's policy", () => kmsKeyPolicyStatements({ accountId: "1", region: "eu-west-1" })],
    ["what mocks leave out", () => requireComputed(undefined, "arn of relay-topic")],
    ["a callback's capture", () => bundleCallback(() => captured.has(1))],
    ["a capture that Pulumi refuses", () => bundleCallback(() => getter)],
    ["a module that is not there", () => bundleCallback(() => require("no-such-module") as unknown)],
    [
      "the component's own bundle",
      () => bundleOwn({ module: "./none", factory: () => require("./none") as () => unknown }, false),
    ],
  ];
  for (const [what, thrower] of thrown) {
    it(`is one line without a stack, where it is ${what}`, async () => {
      const error = await refusal((async () => await thrower())());
      expect(pulumi.RunError.isInstance(error)).to.equal(true);
      expect(error.message).to.match(/^[^\n]+\bFix: [^\n]+$/);
      expect(error.stack).to.equal(error.message);
    });
  }

  it("is one line where a table that it names is not found", async () => {
    // Mocks lose what a call is rejected with.
    const calls = {
      "aws:dynamodb/getTable:getTable": () => {
        throw new Error("not found");
      },
    };
    const { errors } = await record(() => relayOf({ tableName: "none" }), { calls });
    const refusals = errors.filter((error) => pulumi.InputPropertyError.isInstance(error));
    expect([...new Set(refusals.map(({ message }) => message))]).to.deep.equal([
      'tableName: got "none"; allowed: a table in the relay\'s account and region. Fix: check the name and the deploying ' +
        "role's rights (AWS gave no reason).",
    ]);
  });

  it("keeps what failed as its cause", async () => {
    const error = await refusal(bundleCallback(() => require("no-such-module") as unknown));
    expect((error.cause as Error).message).to.include("Build failed with 1 error");
  });

  it("names every module that is not there", async () => {
    const callbackWithFive = () => [require("a-1"), require("a-2"), require("a-3"), require("a-4"), require("a-5")];
    const { message } = await refusal(bundleCallback(callbackWithFive));
    expect(message.match(/Could not resolve "a-\d"/g)).to.have.length(5);
  });
});

describe("a value that JSON does not have", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const [what, value, written] of [
    ["NaN", NaN, "NaN"],
    ["a bigint", 5n, "5n"],
    ["a symbol", Symbol("size"), "Symbol(size)"],
    ["a function", () => 1, "[Function (anonymous)]"],
    ["an object that contains itself", circular, "<ref *1> { self: [Circular *1] }"],
    ["a bigint in an object", { size: 5n }, "{ size: 5n }"],
  ] as const) {
    it(`is written as JavaScript shows it, where it is ${what}`, () => {
      const { message } = thrownBy(() => refuse("size", value, "a number", "write 1"));
      expect(message).to.equal(`size: got ${written}; allowed: a number. Fix: write 1.`);
    });
  }
});

describe("an argument of a function", () => {
  const given = {
    callbackFactory: () => () => 1,
    environment: {},
    policyStatements: [],
    timeoutSeconds: 3,
    logRetentionInDays: 7,
  };
  for (const [path, args] of [
    ["requireFrom", { requireFrom: 5 }],
    ["policyStatements", { policyStatements: undefined }],
    ["environment", { environment: undefined }],
    ['files["a.txt"]', { files: { "a.txt": 5 } }],
  ] as const) {
    it(`is refused by its name before anything is registered, where ${path} has another type`, () => {
      const { message } = thrownBy(() => new CallbackFunction("own", { ...given, ...args } as never));
      expect(message.startsWith(`${path}: got `), message).to.equal(true);
      expect(message).to.include(" Fix: ");
    });
  }
});

describe("an unknown key", () => {
  const messageOf = (args: object) => thrownBy(() => resolveArgs({ auth, ...args } as WebsocketRelayArgs)).message;

  it("is told with the key that is close, the others counted", () => {
    expect(messageOf({ maxAttemps: 1 })).to.match(
      /^maxAttemps: got an unknown key; allowed: maxAttempts and \d+ others\. Fix: check the spelling \(did you mean maxAttempts\?\)\.$/,
    );
  });

  it("is told with all keys where none is close, or where there are few", () => {
    expect(messageOf({ colour: 1 })).to.match(/allowed: auth, .*maxAttempts, .*\. Fix: check the spelling\.$/);
    expect(messageOf({ auth: { oidc: { isuer: "x" } } })).to.include(
      "auth.oidc.isuer: got an unknown key; allowed: issuer, audience, authorizedParties, jwksUri, jwks. Fix: check the " +
        "spelling (did you mean issuer?).",
    );
  });

  it("is told with the command that removes it, where it is one of the stack's config", () => {
    pulumi.runtime.setAllConfig({ "relay:maxAttemps": "1" });
    try {
      const { message } = thrownBy(() => refuseUnknownConfig("relay", ["auth", "maxAttempts"]));
      expect(message).to.equal(
        "config maxAttemps: got an unknown key; allowed: auth, maxAttempts. Fix: check the spelling " +
          "(did you mean maxAttempts?), or run pulumi config rm maxAttemps.",
      );
    } finally {
      pulumi.runtime.setAllConfig({});
    }
  });
});

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

/** As a program has it whose packages depend on different versions. */
function anotherCopyOfErrors(): Pick<typeof pulumi, "InputPropertyError" | "RunError"> {
  const path = require.resolve("@pulumi/pulumi/errors");
  const copy = { exports: {} };
  new Function("exports", "require", readFileSync(path, "utf8"))(copy.exports, createRequire(path));
  return copy.exports as typeof pulumi;
}
