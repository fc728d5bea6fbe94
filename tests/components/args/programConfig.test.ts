import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { parse } from "yaml";
import { resolveArgs } from "../../../components/args/args";
import { spec } from "../../../components/args/spec";
import { refuseUnknownConfig } from "../../../components/args/stackConfig";
import { auth } from "../../support/relayRun";

interface ProjectFile {
  name: string;
  config: Record<string, { type: string; default?: unknown; description: string }>;
}

const project = parse(readFileSync(resolve(__dirname, "../../../Pulumi.yaml"), "utf8")) as ProjectFile;

describe("the program's config", () => {
  const declared = Object.entries(project.config);

  it("declares every argument but the one whose default follows from another", () => {
    expect([...Object.keys(project.config), "pointInTimeRecovery"].sort()).to.deep.equal(Object.keys(spec).sort());
  });

  it("describes every key, and declares none without a default but auth, since the CLI would stop", () => {
    for (const [key, { description }] of declared) expect(description, key).to.have.length.above(20);
    const withoutDefault = declared.filter((entry) => (entry[1].default ?? null) === null).map(([key]) => key);
    expect(withoutDefault).to.deep.equal(["auth"]);
  });

  it("has the component's own defaults; an empty text or object stands for none", () => {
    const isEmpty = (value: unknown) => JSON.stringify(value) === "{}" || value === "";
    const given = declared.flatMap(([key, { default: value }]) => (isEmpty(value) ? [] : [[key, value] as const]));
    expect(resolveArgs({ ...Object.fromEntries(given), auth })).to.deep.equal(resolveArgs({ auth }));
  });

  describe("with a key that nobody reads", () => {
    const configure = (keys: string[]) =>
      pulumi.runtime.setAllConfig(Object.fromEntries(keys.map((key) => [key, "x"])));

    afterEach(() => configure([]));

    it("is refused, naming the key and those there are", () => {
      configure(["relay:maxAttempts", "relay:maxAttempt"]);
      expect(() => refuseUnknownConfig("relay", ["auth", "maxAttempts"])).to.throw(
        /config maxAttempt: got "a key of that name"; allowed: auth, maxAttempts\. Fix: check the spelling \(did you mean maxAttempts\?\), or pulumi config rm maxAttempt/,
      );
    });

    it("is let alone where the key is another project's or a provider's", () => {
      configure(["relay:maxAttempts", "aws:region", "relayed:x"]);
      expect(() => refuseUnknownConfig("relay", ["auth", "maxAttempts"])).not.to.throw();
    });
  });
});
