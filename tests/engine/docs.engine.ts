import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import { allBlocks, type Block, placeOf } from "../docs/blocks";
import { removeStages, Stage } from "../docs/stage";
import { ProgramCopy } from "./programCopy";
import { repository } from "../support/repository";

const audience = "websocket-relay-docs";
const blocks = allBlocks();

/** What tests/docs/engineBlocks.ts names. */
function printed(name: string): Block {
  const block = blocks.find(({ mark }) => mark?.kind === "engine" && mark.name === name);
  if (!block) throw new Error(`no block is marked <!-- docs: engine name=${name} -->`);
  return block;
}

describe("the printed commands, run by the real engine", function () {
  this.timeout(180_000);

  let cloud: LocalCloud;
  let provider: ProviderServer;
  before(async () => {
    const options = { audience, userClaim: "sub", timeScale: 1, loseDisconnects: false };
    cloud = await LocalCloud.start({ ...options, log: () => {} });
    provider = await ProviderServer.start(cloud.provisioner);
  });
  after(async () => {
    await provider?.close();
    await cloud?.close();
    removeStages();
  });

  /** Each test goes on from where the one before it ended. */
  describe("for this repository's program", function () {
    this.bail(true);

    let program: ProgramCopy;
    before(async () => {
      program = await ProgramCopy.create(provider.port);
    });
    after(() => program?.remove());

    it(`deploy it, as ${placeOf(printed("deploy"))} says, with the outputs that the page names`, async () => {
      const variables = { YOUR_ISSUER: cloud.issuer.issuer, YOUR_AUDIENCE: audience };
      await program.paste(printed("deploy").text, variables);
      const outputs = await program.pulumiJson<Record<string, unknown>>("stack", "output");
      expect(Object.keys(outputs)).to.include.members(["websocketUrl", "topicArn", "queueUrl", "retryWindowSeconds"]);
    });

    it(`set alarms, as ${placeOf(printed("alarms"))} says`, async () => {
      const variables = { YOUR_TOPIC_ARN: "arn:aws:sns:eu-west-1:000000000000:on-call" };
      await program.paste(printed("alarms").text, variables);
      const alarms = await program.pulumi("config", "get", "alarms");
      expect(JSON.parse(alarms)).to.deep.equal({
        actions: [variables.YOUR_TOPIC_ARN],
        deadLetters: 10,
        enabled: false,
      });
      expect((await program.preview()).filter(({ op }) => op !== "same")).to.deep.equal([]);
    });

    it(`make a domain, as ${placeOf(printed("custom-domain"))} says`, async () => {
      // Where the local run is, whatever a stack says: a certificate has to be there.
      await program.pulumi("config", "set", "aws:region", "us-east-1");
      await program.paste(printed("custom-domain").text, {
        YOUR_DOMAIN: "relay.acme.dev",
        YOUR_CERTIFICATE_ARN: "arn:aws:acm:us-east-1:000000000000:certificate/7f3c2a52-0000-4000-8000-000000000000",
        YOUR_ZONE_ID: "Z0123456789ABCDEFGHIJ",
      });
      const { websocketUrl } = await program.pulumiJson<{ websocketUrl: string }>("stack", "output");
      expect(websocketUrl).to.equal("wss://relay.acme.dev");
    });

    it(`take a Cognito user pool, as ${placeOf(printed("deploy-cognito"))} says`, async () => {
      const userPoolId = "us-east-1_AbCdEf123";
      const clientId = "1h57kf5cpq17m0eml12EXAMPLE".toLowerCase();
      await program.paste(printed("deploy-cognito").text, {
        YOUR_USER_POOL_ID: userPoolId,
        YOUR_APP_CLIENT_ID: clientId,
      });
      const auth = await program.pulumi("config", "get", "auth");
      expect(JSON.parse(auth)).to.deep.equal({ cognito: { userPoolId, clientIds: [clientId] } });
      const changed = (await program.preview()).filter(({ op }) => op !== "same");
      expect(changed).to.deep.equal([{ op: "update", name: "relay-connect" }]);
    });

    it(`destroy a stack that is protected, as ${placeOf(printed("destroy-protected"))} says`, async () => {
      await program.pulumi("config", "set", "protectData", "true");
      await program.up();
      expect(await program.pulumiFails("destroy", "--yes", "--skip-preview")).to.include("protected");
      await program.paste(printed("destroy-protected").text);
      expect(await program.resources()).to.deep.equal([]);
    });
  });

  it(`put a restored table in the history's place, as ${placeOf(printed("replace-history-table"))} says`, async () => {
    const program = await ProgramCopy.create(provider.port);
    try {
      await program.pulumi("stack", "init", "dev");
      await program.pulumi("config", "set", "--path", "auth.oidc.issuer", cloud.issuer.issuer);
      await program.pulumi("config", "set", "--path", "auth.oidc.audience", audience);
      for (const [key, value] of Object.entries({ delivery: "replay", protectData: "true" })) {
        await program.pulumi("config", "set", key, value);
      }
      await program.up();
      const before = await program.resources();
      const tableName = async () => (await program.pulumi("stack", "output", "historyTableName")).trim();
      const OLD = await tableName();
      await program.paste(printed("replace-history-table").text, { OLD, NEW: `${OLD}-restored` });
      expect(await tableName()).to.equal(`${OLD}-restored`);
      expect((await program.resources()).map(({ urn }) => urn)).to.deep.equal(before.map(({ urn }) => urn));
      await program.pulumi("config", "set", "historyGeneration", "1");
      const changed = (await program.preview()).filter(({ op }) => op !== "same");
      expect(changed).to.deep.equal([{ op: "update", name: "relay-deliver" }]);
    } finally {
      await program.remove();
    }
  });

  it(`switch a stack to retry mode and keep its history until it is sent, as ${placeOf(printed("replay-to-retry"))} says`, async () => {
    const program = await ProgramCopy.create(provider.port);
    const stage = new Stage();
    // Its addresses are AWS's. delivery.engine.ts runs the command itself.
    stage.command("bin/npx", '#!/bin/sh\necho "$@" > resent.txt\nexec pulumi stack export --file resent.json\n');
    try {
      await program.pulumi("stack", "init", "dev");
      await program.pulumi("config", "set", "--path", "auth.oidc.issuer", cloud.issuer.issuer);
      await program.pulumi("config", "set", "--path", "auth.oidc.audience", audience);
      await program.pulumi("config", "set", "delivery", "replay");
      await program.up();
      const tableName = (await program.pulumi("stack", "output", "historyTableName")).trim();
      await program.paste(printed("replay-to-retry").text, {}, join(stage.folder, "bin"));
      const written = (file: string) => readFileSync(join(program.folder, file), "utf8");
      expect(written("resent.txt").trim()).to.equal(`pulumi-websocket-relay history resend --table ${tableName}`);
      expect(written("resent.json")).to.include("relay-history-table").and.not.include("relay-resume-integration");
      const urns = (await program.resources()).map(({ urn }) => urn);
      expect(urns.filter((urn) => urn.includes("history"))).to.deep.equal([]);
    } finally {
      await program.remove();
    }
  });

  it(`deploy the smallest example, as ${placeOf(printed("deploy-smallest"))} says`, async () => {
    const stage = new Stage();
    stage.install(await Stage.builtRepository());
    stage.link("node_modules/@pulumi", join(repository, "node_modules/@pulumi"));
    // No registry has the package: what it installs is here already.
    stage.command("bin/npm", '#!/bin/sh\n[ "$*" = install ]\n');
    const program = await ProgramCopy.create(provider.port, {
      folder: join(repository, "examples/smallest"),
      names: ["index.ts", "Pulumi.yaml", "package.json", "tsconfig.json"],
      nodeModules: join(stage.folder, "node_modules"),
    });
    const name = "your-backend-role";
    const assumeRolePolicy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    await cloud.provisioner.create("aws:iam/role:Role", name, { name, assumeRolePolicy });
    await program.paste(
      printed("deploy-smallest").text,
      { YOUR_ISSUER: cloud.issuer.issuer },
      join(stage.folder, "bin"),
    );
    const outputs = await program.pulumiJson<Record<string, unknown>>("stack", "output");
    expect(Object.keys(outputs)).to.have.members(["websocketUrl", "topicArn", "addresses"]);
    await program.remove();
  });
});
