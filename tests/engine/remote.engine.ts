import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { WebSocket } from "ws";
import { credentials, region } from "../../local/account";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import { builtRepository } from "../support/builtRepository";
import { repository } from "../support/repository";
import { printed } from "./otherLanguages";
import { ProgramCopy, type ProgramSource } from "./programCopy";

/** As .ci/run sets it: what languages/install has built. Without it, these tests are left out. */
const { PULUMI_LANGUAGES = "" } = process.env;

/** Where the CLI finds the hosts that run YAML programs and plugins. */
const hosts = [PULUMI_LANGUAGES, join(__dirname, "languages")];

const audience = "chat";

/** Each test goes on from where the one before it ended. */
describe("the YAML program of docs/pulumi-other-languages.md, run by the real engine", function () {
  this.timeout(180_000);
  this.bail(true);

  let cloud: LocalCloud;
  let provider: ProviderServer;
  let program: ProgramCopy;
  let root: string;
  let yaml: ProgramSource;
  let announced: string[];

  before(async function () {
    if (PULUMI_LANGUAGES === "") return this.skip();
    root = realpathSync(mkdtempSync(join(tmpdir(), "remote-")));
    cloud = await LocalCloud.start({ audience, userClaim: "sub", timeScale: 1, loseDisconnects: false, log: () => {} });
    provider = await ProviderServer.start(cloud.provisioner);
    yaml = { folder: join(root, "yaml"), names: ["Pulumi.yaml"], nodeModules: await installed(root) };
    mkdirSync(yaml.folder);
    writeFileSync(join(yaml.folder, "Pulumi.yaml"), printed("yaml-program").text);
    program = await ProgramCopy.create(provider.port, yaml);
    program.preferHosts(...hosts);
    // The package is installed already.
    mkdirSync(join(root, "bin"));
    writeFileSync(join(root, "bin/npm"), '#!/bin/sh\n[ "$*" = "install pulumi-websocket-relay" ]\n', { mode: 0o755 });
  });

  after(async () => {
    await program?.remove();
    await provider?.close();
    await cloud?.close();
    if (root !== undefined) rmSync(root, { recursive: true });
  });

  const paste = (name: string) =>
    program.paste(printed(name).text, { YOUR_ISSUER: cloud.issuer.issuer }, join(root, "bin"));
  const changing = (steps: { op: string; name: string }[]) => steps.filter(({ op }) => op !== "same");

  it(`gets the plugin as ${printed("add-plugin").place} says, which writes it into the project file`, async () => {
    await program.pulumi("stack", "init", "dev");
    await paste("add-plugin");

    expect(program.read("Pulumi.yaml")).to.match(
      /^packages:\n +websocket-relay: .*node_modules\/pulumi-websocket-relay\/plugin$/m,
    );
  });

  it("previews nothing but creations", async () => {
    await program.pulumi("config", "set", "issuer", cloud.issuer.issuer);
    const steps = await program.preview();
    expect(steps.filter(({ op }) => op !== "create")).to.deep.equal([]);
    announced = steps.map(({ name }) => name);
    expect(announced).to.include.members(["relay", "relay-connect", "relay-deliver", "relay-queue"]);
  });

  it(`is created as ${printed("deploy-yaml").place} says`, async () => {
    await paste("deploy-yaml");
    const created = (await program.resources()).filter(({ type }) => !type.startsWith("pulumi:providers:"));
    const names = created.map(({ urn }) => urn.split("::").at(-1) ?? "").sort();
    expect(names).to.deep.equal([...announced].sort());
  });

  it("delivers what is published to its topic", async () => {
    const { websocketUrl, topicArn } = await program.pulumiJson<Record<string, string>>("stack", "output");
    const headers = { authorization: `Bearer ${await cloud.issuer.sign("42")}` };
    const socket = new WebSocket(`${websocketUrl}?context=mentor&contextId=7`, { headers });
    const sns = new SNSClient({ region, credentials, endpoint: cloud.messaging.endpoint });
    try {
      await once(socket, "open");
      const arrived = once(socket, "message") as Promise<[Buffer]>;
      const attribute = (StringValue: string) => ({ DataType: "String", StringValue });
      const MessageAttributes = { user: attribute("42"), context: attribute("mentor"), contextId: attribute("7") };
      await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello", MessageAttributes }));
      expect(String((await arrived)[0])).to.equal("hello");
    } finally {
      socket.terminate();
      sns.destroy();
    }
  });

  it("has the policy of its publishers as an output", async () => {
    const { topicArn, publishPolicy } = await program.pulumiJson<{ topicArn: string; publishPolicy: string }>(
      "stack",
      "output",
    );
    expect(JSON.parse(publishPolicy)).to.deep.include({
      Statement: [{ Effect: "Allow", Action: ["sns:Publish"], Resource: [topicArn] }],
    });
  });

  it("changes nothing in a second up", async () => {
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("changes nothing when the program is rewritten in TypeScript: the resources have the same URNs", async () => {
    const typeScript = {
      folder: join(root, "typescript"),
      names: ["Pulumi.yaml", "index.ts"],
      nodeModules: yaml.nodeModules,
    };
    mkdirSync(typeScript.folder);
    writeFileSync(join(typeScript.folder, "Pulumi.yaml"), "name: chat\nruntime: nodejs\nmain: index.ts\n");
    writeFileSync(
      join(typeScript.folder, "index.ts"),
      `import * as pulumi from "@pulumi/pulumi";
import { WebsocketRelay } from "pulumi-websocket-relay";
const issuer = new pulumi.Config().require("issuer");
new WebsocketRelay("relay", { auth: { oidc: { issuer, audience: ["${audience}"] } }, maxAttempts: 30 });
`,
    );
    await program.upgradeTo(typeScript);
    // The host that runs programs.
    program.preferHosts();
    expect(changing(await program.preview())).to.deep.equal([]);

    await program.upgradeTo(yaml);
    program.preferHosts(...hosts);
    await paste("add-plugin");
  });

  const argument = "      maxAttempts: 30\n";
  const withLines = async (lines: string, run: () => Promise<void>) => {
    const text = program.read("Pulumi.yaml");
    program.write("Pulumi.yaml", text.replace(argument, lines));
    await run();
    program.write("Pulumi.yaml", text);
  };

  it("updates what another argument changes alone", () =>
    withLines("      maxAttempts: 20\n", async () => {
      const updates = changing(await program.preview());
      expect(updates.filter(({ op }) => op !== "update")).to.deep.equal([]);
      expect(updates.map(({ name }) => name)).to.include.members(["relay-deliver", "relay-queue"]);
      expect(updates).to.have.lengthOf(3);
    }));

  it("protects each resource where the program protects the relay", () =>
    withLines(`${argument}    options:\n      protect: true\n`, async () => {
      await program.up();
      const unprotected = (await program.resources()).filter(({ protect }) => !protect).map(({ type }) => type);
      expect(unprotected.filter((type) => !type.startsWith("pulumi:"))).to.deep.equal([]);
    }));

  it("changes nothing in a refresh", async () => {
    await program.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("keeps a secret secret in the state of all that has it", () =>
    withLines(`${argument}      tags:\n        team:\n          fn::secret: red-herring\n`, async () => {
      await program.up();
      const state = (...options: string[]) => program.pulumi("stack", "export", ...options);
      expect(await state()).to.not.include("red-herring");
      expect(await state("--show-secrets")).to.include("red-herring");
    }));

  const wrong: Record<string, { from: string; to: string; told: string }> = {
    "a value out of its range": {
      from: "maxAttempts: 30",
      to: "maxAttempts: 3000",
      told: "maxAttempts: got 3000; allowed: a whole number from 1 to 995.",
    },
    "an argument together with the one that turns it off": {
      from: "maxAttempts: 30",
      to: "authDisabled: true",
      told: "authDisabled: got true; allowed: false where auth is set. Fix: remove auth or authDisabled.",
    },
    // The value of a property that has a problem would be printed.
    "a secret": {
      from: "maxAttempts: 30",
      to: "tags: { aws:team: { fn::secret: hidden } }",
      told: `resource 'relay' has a problem: tags.aws:team: got "an output"; allowed: a key that does not begin with`,
    },
    "an output with a value that is not allowed": {
      from: "outputs:",
      to: `  other:
    type: websocket-relay:index:WebsocketRelay
    properties:
      authDisabled: true
      topicArn: \${relay.queueArn}
outputs:`,
      told: "topicArn: got ",
    },
  };
  for (const [what, { from, to, told }] of Object.entries(wrong)) {
    it(`refuses ${what}, with the argument and the fix`, async () => {
      const text = program.read("Pulumi.yaml");
      program.write(
        "Pulumi.yaml",
        text.replace(from, () => to),
      );
      expect(await program.pulumiFails("up", "--yes", "--skip-preview")).to.include(told);
      program.write("Pulumi.yaml", text);
    });
  }

  it("leaves nothing after destroy", async () => {
    const functions = (await program.resources()).filter(({ type }) => type === "aws:lambda/function:Function");
    expect(functions).to.not.be.empty;

    await program.pulumi("destroy", "--yes", "--skip-preview");

    expect(await program.resources()).to.deep.equal([]);
    expect(functions.filter(({ id }) => cloud.lambda.hasFunction(id ?? ""))).to.deep.equal([]);
  });
});

/** A node_modules with the packed package, and what the repository has installed. */
async function installed(root: string): Promise<string> {
  const nodeModules = join(root, "node_modules");
  const folder = join(nodeModules, "pulumi-websocket-relay");
  mkdirSync(folder, { recursive: true });
  const built = await builtRepository();
  const tarball = join(built, readdirSync(built).find((name) => name.endsWith(".tgz")) ?? "");
  execFileSync("tar", ["xzf", tarball, "--strip-components=1", "-C", folder]);
  for (const name of readdirSync(join(repository, "node_modules"))) {
    if (!existsSync(join(nodeModules, name)))
      symlinkSync(join(repository, "node_modules", name), join(nodeModules, name));
  }
  return nodeModules;
}
