import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { ConstructResult } from "@pulumi/pulumi/provider";
import { expect } from "chai";
import { relayProvider } from "../../../components/remote/provider";
import { record, valueOf } from "../../support/recorder";
import { refusal } from "../../support/refusal";
import { repository } from "../../support/repository";

const schema = JSON.parse(readFileSync(join(repository, "plugin/schema.json"), "utf8")) as {
  version: string;
  resources: Record<string, { properties: object; required: string[] }>;
};
const [type = "", resource] = Object.entries(schema.resources)[0] ?? [];

const oidc = { issuer: "https://login.acme.dev", audience: ["chat"] };

/** What the provider answers under mocks, with what was registered. */
async function construct(inputs: pulumi.Inputs) {
  let result: ConstructResult | undefined;
  const { registrations } = await record(async () => {
    result = await relayProvider(schema).construct?.("relay", type, inputs, {});
  });
  if (!result) throw new Error("nothing was constructed");
  return { registrations, urn: result.urn, state: result.state as Record<string, unknown> };
}

describe("the provider for other languages", () => {
  it("serves the schema and its version", () => {
    const { schema: served, version } = relayProvider(schema);
    expect(JSON.parse(served ?? "")).to.deep.equal(schema);
    expect(version).to.equal(schema.version);
  });

  it("constructs the relay itself, of which it answers the URN", async () => {
    const { registrations, urn } = await construct({ auth: { oidc } });
    const relays = registrations.filter((each) => each.type === type);
    expect(relays.map(({ name }) => name)).to.deep.equal(["relay"]);
    expect(await valueOf(urn as pulumi.Output<string>)).to.match(/::websocket-relay:index:WebsocketRelay::relay$/);
  });

  it("answers every output of the schema in replay mode with receipts, reads over HTTP and a domain, and no other", async () => {
    const { state } = await construct({
      auth: { oidc },
      delivery: "replay",
      receipts: true,
      httpRead: true,
      customDomain: {
        domainName: "ws.acme.dev",
        certificateArn: "arn:aws:acm:eu-west-1:000000000000:certificate/7f3c2a52-0000-4000-8000-000000000000",
      },
    });
    const present = Object.keys(state).filter((key) => state[key] !== undefined);
    expect(present).to.have.members(Object.keys(resource?.properties ?? {}));
  });

  it("answers every output that the schema requires in retry mode", async () => {
    const { state } = await construct({ auth: { oidc } });
    const present = Object.keys(state).filter((key) => state[key] !== undefined);
    expect(present).to.have.members(resource?.required ?? []);
  });

  it("answers the policies that the relay's grants give", async () => {
    const kmsKeyArn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const { state } = await construct({ auth: { oidc }, delivery: "replay", kmsKeyArn });
    const actionsOf = async (key: string) => {
      const { Statement } = JSON.parse(await valueOf(state[key] as pulumi.Output<string>)) as {
        Statement: { Action: string[] }[];
      };
      return Statement.flatMap(({ Action }) => Action);
    };
    expect(await actionsOf("publishPolicy")).to.include.members(["sns:Publish", "kms:GenerateDataKey"]);
    expect(await actionsOf("disconnectUserPolicy")).to.include.members([
      "dynamodb:Query",
      "execute-api:ManageConnections",
    ]);
    expect(await actionsOf("readPositionPolicy")).to.have.members(["dynamodb:Query", "kms:Decrypt"]);
  });

  it("rejects with the argument that is wrong", async () => {
    const wrong = relayProvider(schema).construct?.("relay", type, { auth: { oidc }, maxAttempts: 0 }, {});
    expect((await refusal(wrong as Promise<unknown>)).message).to.match(/^maxAttempts: got 0; allowed: /);
  });

  it("names the argument in a message alone: of a property, the CLI would print the value, even a secret's", async () => {
    const tags = { "aws:team": pulumi.secret("hidden") };
    const wrong = relayProvider(schema).construct?.("relay", type, { auth: { oidc }, tags }, {});
    const error = await refusal(wrong as Promise<unknown>);
    expect(pulumi.InputPropertiesError.isInstance(error)).to.equal(true);
    expect(error).to.have.property("errors").that.is.empty;
    expect(error.message)
      .to.match(/^tags\.aws:team: got /)
      .and.not.include("hidden");
  });

  it("rejects another type of resource", async () => {
    const wrong = relayProvider(schema).construct?.("relay", "websocket-relay:index:Relay", {}, {});
    expect((await refusal(wrong as Promise<unknown>)).message).to.match(
      /^type: got websocket-relay:index:Relay; allowed/,
    );
  });
});
