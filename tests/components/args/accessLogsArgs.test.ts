import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { refuseBadAccessLogs } from "../../../components/args/accessLogsArgs";

describe("refuseBadAccessLogs", () => {
  const refused: [what: string, given: unknown, path: string, part: string][] = [
    ["what is no object", true, "accessLogs", "got true"],
    ["a role that is neither there nor to be made", { accountRole: "maybe" }, "accessLogs.accountRole", '"maybe"'],
    ["no word on the role", {}, "accessLogs.accountRole", '"exists" or "create"'],
    ["an unknown key", { accountRole: "exists", format: "x" }, "accessLogs.format", "spelling"],
  ];
  for (const [what, given, path, part] of refused) {
    it(`refuses ${what}, naming ${path}`, () => {
      expect(() => refuseBadAccessLogs(given)).to.throw(pulumi.InputPropertyError, `${path}: got`);
      expect(() => refuseBadAccessLogs(given)).to.throw(part);
    });
  }

  it("accepts both kinds", () => {
    for (const accountRole of ["exists", "create"]) {
      expect(() => refuseBadAccessLogs({ accountRole })).not.to.throw();
    }
  });
});
