import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { resolveAccessLogs } from "../../../components/args/accessLogsArgs";

describe("resolveAccessLogs", () => {
  const refused: [what: string, given: unknown, path: string, part: string][] = [
    ["what is no object", true, "accessLogs", "got true"],
    ["a role that is neither there nor to be made", { accountRole: "maybe" }, "accessLogs.accountRole", '"maybe"'],
    ["no word on the role", {}, "accessLogs.accountRole", '"exists" or "create"'],
    ["an unknown key", { accountRole: "exists", format: "x" }, "accessLogs.format", "spelling"],
    [
      "a level that API Gateway does not have",
      { accountRole: "exists", executionLoggingLevel: "WARN" },
      "accessLogs.executionLoggingLevel",
      '"OFF" or "ERROR" or "INFO"',
    ],
  ];
  for (const [what, given, path, part] of refused) {
    it(`refuses ${what}, naming ${path}`, () => {
      expect(() => resolveAccessLogs(given)).to.throw(pulumi.InputPropertyError, `${path}: got`);
      expect(() => resolveAccessLogs(given)).to.throw(part);
    });
  }

  it("logs failed requests with both kinds of role, unless another level is set", () => {
    for (const accountRole of ["exists", "create"]) {
      const expected = { accountRole, executionLoggingLevel: "ERROR" };
      expect(resolveAccessLogs({ accountRole })).to.deep.equal(expected);
      // YAML with a key and no value.
      expect(resolveAccessLogs({ accountRole, executionLoggingLevel: null })).to.deep.equal(expected);
      expect(resolveAccessLogs({ accountRole, executionLoggingLevel: "OFF" }).executionLoggingLevel).to.equal("OFF");
    }
  });
});
