import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { parse } from "yaml";
import { resolveArgs } from "../../../components/args/args";
import { type Option, spec } from "../../../components/args/spec";
import { argsFromConfig, refuseUnknownConfig } from "../../../components/args/stackConfig";
import { auth } from "../../support/relayRun";

interface ProjectFile {
  name: string;
  config: Record<string, { type: string; default?: unknown; description: string }>;
}

const project = parse(readFileSync(resolve(__dirname, "../../../Pulumi.yaml"), "utf8")) as ProjectFile;

describe("the program's config", () => {
  const declared = Object.entries(project.config);

  it("declares every argument but numbers and booleans without a default, which the CLI would require a value for", () => {
    // Their defaults follow from other arguments, or there is no value that means none.
    const undeclared = Object.entries<Option>(spec).filter(
      ([, { type, default: value }]) => value === undefined && ["integer", "boolean"].includes(type),
    );
    const keys = undeclared.map(([key]) => key);
    expect(keys).to.include.members(["pointInTimeRecovery", "waitingAfterSeconds", "connectThrottlingRateLimit"]);
    expect([...Object.keys(project.config), ...keys].sort()).to.deep.equal(Object.keys(spec).sort());
  });

  it("describes every key, and declares none without a default but auth, since the CLI would stop", () => {
    for (const [key, { description }] of declared) expect(description, key).to.have.length.above(20);
    const withoutDefault = declared.filter((entry) => (entry[1].default ?? null) === null).map(([key]) => key);
    expect(withoutDefault).to.deep.equal(["auth"]);
  });

  it("has the component's own defaults; an empty text or object means none", () => {
    const isEmpty = (value: unknown) => JSON.stringify(value) === "{}" || value === "";
    const given = declared.flatMap(([key, { default: value }]) => (isEmpty(value) ? [] : [[key, value] as const]));
    expect(resolveArgs({ ...Object.fromEntries(given), auth })).to.deep.equal(resolveArgs({ auth }));
  });

  describe("as arguments", () => {
    afterEach(() => pulumi.runtime.setAllConfig({}));

    const read = (values: Record<string, unknown>) => {
      const texts = Object.entries({ auth, ...values }).map(([key, value]) => [
        `relay:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      pulumi.runtime.setAllConfig(Object.fromEntries(texts));
      return argsFromConfig(new pulumi.Config("relay"));
    };

    it("has each value by its argument's name, of the argument's type", () => {
      const values = {
        auth,
        allowedOrigins: ["https://app.relay.dev"],
        maxAttempts: 3,
        connections: "all",
        delivery: "replay",
        receipts: true,
        waitingAfterSeconds: 120,
        rawClients: false,
        topicArn: "arn:aws:sns:eu-west-1:210987654321:events",
        pointInTimeRecovery: false,
        customDomain: { existingDomainName: "ws.relay.dev" },
        alarms: { enabled: false },
        tags: { team: "chat" },
      };
      expect(read(values)).to.deep.include(values);
    });

    it("has every argument of the spec, and undefined for one that the config does not have", () => {
      const { auth: given, ...others } = read({});
      expect(given).to.deep.equal(auth);
      expect(["auth", ...Object.keys(others)]).to.have.members(Object.keys(spec));
      expect(Object.values(others).filter((value) => value !== undefined)).to.deep.equal([]);
    });

    it("takes the empty text or object that Pulumi.yaml has for no default as absent, and others as they are", () => {
      const args = read({ topicArn: "", customDomain: {}, gatewayLogs: {}, tags: {}, stageName: "" });
      expect(args).to.deep.include({ topicArn: undefined, customDomain: undefined, gatewayLogs: undefined });
      expect(args).to.deep.include({ tags: {}, stageName: "" });
    });

    it("is refused without auth, with a text for a number, and with an unknown key", () => {
      pulumi.runtime.setAllConfig({});
      expect(() => argsFromConfig(new pulumi.Config("relay"))).to.throw("relay:auth");
      expect(() => read({ maxAttempts: "many" })).to.throw("relay:maxAttempts");
      expect(() => read({ maxAttempt: 3 }))
        .to.throw("config maxAttempt")
        .with.property("message")
        .that.includes("did you mean maxAttempts?");
    });
  });

  describe("with a key that the program does not read", () => {
    const configure = (keys: string[]) =>
      pulumi.runtime.setAllConfig(Object.fromEntries(keys.map((key) => [key, "x"])));

    afterEach(() => configure([]));

    it("is refused, naming the key and those there are", () => {
      configure(["relay:maxAttempts", "relay:maxAttempt"]);
      expect(() => refuseUnknownConfig("relay", ["auth", "maxAttempts"])).to.throw(
        /config maxAttempt: got an unknown key; allowed: auth, maxAttempts\. Fix: check the spelling \(did you mean maxAttempts\?\), or run pulumi config rm maxAttempt\./,
      );
    });

    it("is let alone where the key is another project's or a provider's", () => {
      configure(["relay:maxAttempts", "aws:region", "relayed:x"]);
      expect(() => refuseUnknownConfig("relay", ["auth", "maxAttempts"])).not.to.throw();
    });
  });
});
