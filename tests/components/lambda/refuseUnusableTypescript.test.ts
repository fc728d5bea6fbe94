import { expect } from "chai";
import { CallbackFunction, WebsocketRelay } from "../../../components";
import { refuseUnusableTypescript } from "../../../components/lambda/refuseUnusableTypescript";
import { record } from "../../support/recorder";

const parser = require.resolve("@pulumi/pulumi/typescript-shim");

describe("the TypeScript that Pulumi serializes functions with", () => {
  let found: unknown;
  before(() => (found = require(parser)));
  afterEach(() => give(found));

  it("is taken if it has the API that Pulumi calls", () => {
    refuseUnusableTypescript();
    give({ version: "6.0.3", createSourceFile: () => undefined });
    refuseUnusableTypescript();
  });

  const created: [what: string, create: () => unknown][] = [
    ["a relay", () => new WebsocketRelay("chat", { auth: null, allowedOrigins: null })],
    [
      "a function of the program's own",
      () =>
        new CallbackFunction("greet", {
          callbackFactory: () => async () => Promise.resolve("done"),
          environment: {},
          policyStatements: [],
          timeoutSeconds: 10,
          logRetentionInDays: 30,
        }),
    ],
  ];
  for (const [what, create] of created) {
    it(`is refused by version and folder for ${what}, before anything is registered, if it is TypeScript 7`, async () => {
      // All that typescript@7.0.2 exports; tests/package/newest.test.ts installs it.
      give({ version: "7.0.2", versionMajorMinor: "7.0" });
      const { registrations } = await record(() =>
        expect(create).to.throw(
          /^typescript in .*\/node_modules\/typescript: got "7\.0\.2"; allowed: TypeScript 5 or 6, because .* Fix: run npm install --save-dev typescript@5 in the program's folder\.$/,
        ),
      );
      expect(registrations).to.deep.equal([]);
    });
  }
});

/** Makes it the module that Pulumi loads. */
function give(typescript: unknown): void {
  const cached = require.cache[parser];
  if (cached) cached.exports = typescript;
}
