import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { parse, stringify } from "yaml";
import { spec } from "../../components/args/spec";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import { Consumer } from "../package/consumer";
import { ProgramCopy } from "./programCopy";
import { repository } from "../support/repository";

const oidc = { issuer: "https://login.acme.dev", audience: "acme" };

describe("what pulumi preview prints of an error", function () {
  this.timeout(180_000);

  let cloud: LocalCloud;
  let provider: ProviderServer;

  before(async () => {
    const options = { audience: "acme", userClaim: "sub", timeScale: 1, loseDisconnects: false };
    cloud = await LocalCloud.start({ ...options, log: () => {} });
    provider = await ProviderServer.start(cloud.provisioner);
  });

  after(async () => {
    await provider?.close();
    await cloud?.close();
  });

  describe("in this program's config", () => {
    let program: ProgramCopy;
    let stackFile: string;
    let config: Record<string, unknown>;

    before(async () => {
      program = await ProgramCopy.create(provider.port);
      stackFile = join(program.folder, "Pulumi.dev.yaml");
      await program.pulumi("stack", "init", "dev");
      const { config: given } = parse(await readFile(stackFile, "utf8")) as { config: Record<string, unknown> };
      config = { ...given, "pulumi-websocket-relay:auth": { oidc } };
    });

    after(() => program?.remove());

    /** @param values Other values of the stack's config, by their keys. */
    async function preview(values: Record<string, unknown>): Promise<string> {
      const named = Object.entries(values).map(([key, value]) => [`pulumi-websocket-relay:${key}`, value]);
      const { encryptionsalt } = parse(await readFile(stackFile, "utf8")) as { encryptionsalt: string };
      const text = stringify({ encryptionsalt, config: { ...config, ...Object.fromEntries(named) } });
      await writeFile(stackFile, text);
      return program.pulumiFails("preview", "--suppress-progress");
    }

    it("is one line for a misspelled key, before anything but the stack is registered", async () => {
      const others = Object.keys(spec).length - 1;
      const error =
        `error: config maxAttemps: got an unknown key; allowed: maxAttempts and ${others} others. Fix: check the spelling ` +
        "(did you mean maxAttempts?), or run pulumi config rm maxAttemps.";
      expect(linesOf(await preview({ maxAttemps: 12 }))).to.deep.equal([
        "Previewing update (dev):",
        "+  pulumi:pulumi:Stack pulumi-websocket-relay-dev create",
        `+  pulumi:pulumi:Stack pulumi-websocket-relay-dev create ${error}`,
        "+  pulumi:pulumi:Stack pulumi-websocket-relay-dev create 1 error",
        "Diagnostics:",
        "pulumi:pulumi:Stack (pulumi-websocket-relay-dev):",
        error,
        "Resources:",
        "+ 1 to create",
        "1 errored",
      ]);
    });

    it("is one line for a value out of its range", async () => {
      expect(diagnosticsOf(await preview({ maxAttempts: 0 }))).to.deep.equal([
        "pulumi:pulumi:Stack (pulumi-websocket-relay-dev):",
        "error: maxAttempts: got 0; allowed: a whole number from 1 to 995. Fix: choose one in that range, or leave it out " +
          "for the default of 66.",
      ]);
    });

    it("is one line for a misspelled key within a value", async () => {
      expect(diagnosticsOf(await preview({ auth: { oidc: { ...oidc, audiences: "acme" } } }))).to.deep.equal([
        "pulumi:pulumi:Stack (pulumi-websocket-relay-dev):",
        "error: auth.oidc.audiences: got an unknown key; allowed: issuer, audience, authorizedParties, jwksUri, jwks. Fix: " +
          "check the spelling (did you mean audience?).",
      ]);
    });

    it("is the CLI's own line for a value of the wrong type, and for a key that is missing", async () => {
      expect(linesOf(await preview({ maxAttempts: "many" }))).to.deep.equal([
        "error: validating stack config: Stack 'dev' with configuration key 'maxAttempts' must be of type 'integer'",
      ]);
      expect(linesOf(await preview({ auth: undefined }))).to.deep.equal([
        "error: validating stack config: Stack 'dev' is missing configuration value 'auth'",
      ]);
    });
  });

  describe("in the program of a consumer", () => {
    let consumer: Consumer;
    let program: ProgramCopy;

    before(async () => {
      consumer = await Consumer.install();
      // The program and the package share the consumer's SDK, the oldest that the package takes.
      program = await ProgramCopy.create(provider.port, {
        folder: consumer.folder,
        names: ["Pulumi.yaml", "package.json", "tsconfig.json"],
        nodeModules: join(consumer.folder, "node_modules"),
      });
      await program.pulumi("stack", "init", "dev");
    });

    after(async () => {
      await program?.remove();
      consumer?.remove();
    });

    async function preview(statements: string): Promise<string[]> {
      const text = `
        import * as pulumi from "@pulumi/pulumi";
        import { CallbackFunction, WebsocketRelay } from "pulumi-websocket-relay";
        const auth = { oidc: ${JSON.stringify(oidc)} };
        const later = <T>(value: T) => pulumi.output(new Promise<T>((resolve) => setImmediate(() => resolve(value))));
        const common = { environment: {}, policyStatements: [], timeoutSeconds: 10, logRetentionInDays: 30 };
        ${statements}
      `;
      await writeFile(join(program.folder, "index.ts"), text);
      const [stack, ...errors] = diagnosticsOf(await program.pulumiFails("preview", "--suppress-progress"));
      expect(stack).to.equal("pulumi:pulumi:Stack (consumer-dev):");
      return errors.map((line) => line.replaceAll(program.folder, "PROGRAM"));
    }

    const maxAttempts =
      "error: maxAttempts: got 0; allowed: a whole number from 1 to 995. Fix: choose one in that range, or leave it out for " +
      "the default of 66.";
    const kmsKeyArn =
      'error: kmsKeyArn: got "alias/relay"; allowed: a key\'s ARN, arn:aws:kms:{region}:{account}:key/{id}. ' +
      "Fix: give the key's ARN, not an alias or an id.";
    const permissionsBoundaryArn =
      'error: permissionsBoundaryArn: got "bound"; allowed: a policy\'s ARN, arn:aws:iam::{account}:policy/{name}. ' +
      "Fix: copy the policy's ARN.";

    const printed: [what: string, statements: string, lines: string[]][] = [
      ["a bad argument", 'new WebsocketRelay("relay", { auth, maxAttempts: 0 });', [maxAttempts]],
      [
        "a bad argument of a relay that is created in an apply",
        'later(0).apply((maxAttempts) => new WebsocketRelay("relay", { auth, maxAttempts }));',
        [maxAttempts],
      ],
      [
        "an output that turns out to be wrong, which many resources depend on",
        'new WebsocketRelay("relay", { auth, kmsKeyArn: later("alias/relay") });',
        [kmsKeyArn],
      ],
      [
        "several outputs that turn out to be wrong, one line for each",
        'new WebsocketRelay("relay", { auth, kmsKeyArn: later("alias/relay"), permissionsBoundaryArn: later("bound") });',
        [kmsKeyArn, permissionsBoundaryArn],
      ],
      [
        "a table that is not found",
        'new WebsocketRelay("relay", { auth, tableName: "none" });',
        [
          'error: tableName: got "none"; allowed: a table in the relay\'s account and region. Fix: check the name and the ' +
            "deploying role's rights (invocation of aws:dynamodb/getTable:getTable returned an error: " +
            "ResourceNotFoundException: Requested resource not found: Table: none).",
        ],
      ],
      [
        "a callback that captures what cannot be copied",
        'const seen = new Set(); new CallbackFunction("own", { ...common, callbackFactory: () => () => seen.size });',
        [
          "error: a callback captures seen, a Set: its copy in the function's archive would be an empty object. Fix: create " +
            "it inside the callback, or capture what it is made from: a string, a number, an array or a plain object",
        ],
      ],
      [
        "a callback that requires what is not there",
        'new CallbackFunction("own", { ...common, callbackFactory: () => require("./none"), requireFrom: __dirname });',
        [
          "error: a callback cannot be bundled with what it requires from PROGRAM (requireFrom): Could not resolve " +
            '"./none". Fix: install what is missing, or set requireFrom to the folder of the callback\'s own file (__dirname)',
        ],
      ],
    ];
    for (const [what, statements, lines] of printed) {
      it(`is one line for ${what}`, async () => {
        expect(await preview(statements))
          .to.have.members(lines)
          .and.have.length(lines.length);
      });
    }

    it("is one line where the package has an SDK of its own", async () => {
      const scope = join(consumer.packageFolder, "node_modules/@pulumi");
      await mkdir(scope, { recursive: true });
      await symlink(join(repository, "node_modules/@pulumi/pulumi"), join(scope, "pulumi"));
      const ofOneSdk = "if (error instanceof pulumi.InputPropertyError) throw new Error('there is one SDK');";
      const refused = `try { new WebsocketRelay("relay", { auth, maxAttempts: 0 }); } catch (error) { ${ofOneSdk} throw error; }`;
      expect(await preview(refused)).to.deep.equal([maxAttempts]);
      expect(await preview('new WebsocketRelay("relay", { auth, kmsKeyArn: later("alias/relay") });')).to.deep.equal([
        kmsKeyArn,
      ]);
    });
  });
});

/** Without indentation, and without the empty lines. */
function linesOf(output: string): string[] {
  return output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The lines of the section that tells what went wrong: the resource first. */
function diagnosticsOf(output: string): string[] {
  const lines = linesOf(output);
  return lines.slice(lines.indexOf("Diagnostics:") + 1, lines.indexOf("Resources:"));
}
