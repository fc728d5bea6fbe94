import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { resolveGatewayLogs } from "../../../components/args/gatewayLogsArgs";

describe("resolveGatewayLogs", () => {
  const refused: [what: string, given: unknown, path: string, part: string][] = [
    ["what is no object", true, "gatewayLogs", "got true"],
    ["a role that is neither there nor to be made", { accountRole: "maybe" }, "gatewayLogs.accountRole", '"maybe"'],
    ["no word on the role", {}, "gatewayLogs.accountRole", '"exists" or "create"'],
    ["an unknown key", { accountRole: "exists", format: "x" }, "gatewayLogs.format", "spelling"],
    [
      "a level that API Gateway does not have",
      { accountRole: "exists", executionLoggingLevel: "WARN" },
      "gatewayLogs.executionLoggingLevel",
      '"OFF" or "ERROR" or "INFO"',
    ],
  ];
  for (const [what, given, path, part] of refused) {
    it(`refuses ${what}, naming ${path}`, () => {
      expect(() => resolveGatewayLogs(given)).to.throw(pulumi.InputPropertyError, `${path}: got`);
      expect(() => resolveGatewayLogs(given)).to.throw(part);
    });
  }

  it("logs failed requests with both kinds of role, unless another level is set", () => {
    for (const accountRole of ["exists", "create"]) {
      const expected = { accountRole, executionLoggingLevel: "ERROR" };
      expect(resolveGatewayLogs({ accountRole })).to.deep.equal(expected);
      // YAML with a key and no value.
      expect(resolveGatewayLogs({ accountRole, executionLoggingLevel: null })).to.deep.equal(expected);
      expect(resolveGatewayLogs({ accountRole, executionLoggingLevel: "OFF" }).executionLoggingLevel).to.equal("OFF");
    }
  });
});
