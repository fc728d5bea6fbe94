import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import { nameOf, ProgramCopy, type Resource, type Step, thisProgram } from "./programCopy";
import { repository } from "../support/repository";

/** The commit of the first release. The names that it gave are kept: a live resource of another name would be another one. */
const firstRelease = "e1b07d3";

/**
 * What is replaced all the same: a deployment is a snapshot of the API, of which a change takes a new one; the stage goes
 * over to it without an interruption. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-set-up-websocket-deployment.html
 */
const snapshot = "relay-deployment";

/** Each test goes on from where the one before it ended. */
describe(`a stack of the first release (${firstRelease}), updated by this program`, function () {
  this.timeout(180_000);
  this.bail(true);

  let released: string;
  let cloud: LocalCloud;
  let provider: ProviderServer;
  let program: ProgramCopy;
  let existing: Resource[];
  let announced: Step[];

  before(async () => {
    released = await mkdtemp(join(tmpdir(), "first-release-"));
    await checkOut(firstRelease, released);
    const audience = "websocket-relay-engine";
    cloud = await LocalCloud.start({ audience, userClaim: "sub", timeScale: 1, loseDisconnects: false, log: () => {} });
    provider = await ProviderServer.start(cloud.provisioner);
    program = await ProgramCopy.create(provider.port, {
      ...thisProgram,
      folder: released,
      names: ["index.ts", "components", "handlers", "Pulumi.yaml", "Pulumi.dev.yaml", "package.json", "tsconfig.json"],
    });
    await program.pulumi("stack", "init", "dev");
    await program.pulumi("config", "set", "--path", "auth.oidc.issuer", cloud.issuer.issuer);
    await program.pulumi("config", "set", "--path", "auth.oidc.audience", audience);
    await program.pulumi("up", "--yes", "--skip-preview");
    existing = await program.resources();
    await program.upgradeTo(thisProgram);
  });

  after(async () => {
    await provider?.close();
    await cloud?.close();
    await program?.remove();
    await rm(released, { recursive: true });
  });

  it("is announced no deletion, and no replacement but that of a snapshot", async () => {
    announced = (await program.preview()).filter(({ op }) => op !== "same");

    const others = announced.filter(({ name, op }) => op !== "create" && op !== "update" && name !== snapshot);
    expect(others).to.deep.equal([]);
    const created = announced.filter(({ op }) => op === "create").map(({ name }) => name);
    expect(created.filter((name) => existing.some(({ urn }) => urn.endsWith(`::${name}`)))).to.deep.equal([]);
  });

  it("takes the steps that were announced, and keeps every resource", async () => {
    const isNoSnapshot = ({ name }: Step) => name !== snapshot;
    expect((await program.up()).filter(isNoSnapshot)).to.deep.equal(announced.filter(isNoSnapshot));

    const after = new Map((await program.resources()).map(({ urn, id }) => [urn, id]));
    const ofProgram = existing.filter(({ type }) => !type.startsWith("pulumi:providers:"));
    expect(ofProgram.length).to.be.greaterThan(30);
    const changed = ofProgram.filter(({ urn, id }) => after.get(urn) !== id).map(({ urn }) => nameOf(urn));
    expect(changed.filter((name) => name !== snapshot)).to.deep.equal([]);
    expect(ofProgram.filter(({ urn }) => !after.has(urn))).to.deep.equal([]);
  });

  it("is up to date then", async () => {
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });
});

async function checkOut(commit: string, folder: string): Promise<void> {
  const archive = join(folder, "archive.tar");
  const run = promisify(execFile);
  await run("git", ["archive", "--output", archive, commit], { cwd: repository }).catch((error: Error) => {
    const fix = "fetch the whole history (git fetch --unshallow)";
    throw new Error(`commit ${commit} is not in this clone: ${fix}`, { cause: error });
  });
  await run("tar", ["-xf", archive], { cwd: folder });
}
