import { join } from "node:path";
import { expect } from "chai";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import { Consumer } from "../package/consumer";
import { ProgramCopy } from "./programCopy";

/** Each test goes on from where the one before it ended. */
describe("the packed package in another team's program, run by the real engine", function () {
  this.timeout(300_000);
  this.bail(true);

  let consumer: Consumer;
  let cloud: LocalCloud;
  let provider: ProviderServer;
  let program: ProgramCopy;
  let announced: string[];

  before(async () => {
    consumer = await Consumer.install();
    cloud = await LocalCloud.start({
      audience: "acme",
      userClaim: "sub",
      timeScale: 1,
      loseDisconnects: false,
      log: () => {},
    });
    provider = await ProviderServer.start(cloud.provisioner);
    program = await ProgramCopy.create(provider.port, {
      folder: consumer.folder,
      names: ["index.ts", "readers.ts", "Pulumi.yaml", "package.json", "tsconfig.json"],
      nodeModules: join(consumer.folder, "node_modules"),
    });
    await program.pulumi("stack", "init", "dev");
  });

  after(async () => {
    await provider?.close();
    await cloud?.close();
    await program?.remove();
    consumer?.remove();
  });

  it("previews nothing but creations", async () => {
    const steps = await program.preview();

    expect(steps.filter(({ op }) => op !== "create")).to.deep.equal([]);
    announced = steps.map(({ name }) => name);
    expect(announced).to.include.members(["chat-connect", "news-connect", "lookup"]);
  });

  it("creates two relays and the program's own function", async () => {
    expect((await program.up()).map(({ name }) => name)).to.deep.equal(announced);

    const functions = (await program.resources()).filter(({ type }) => type === "aws:lambda/function:Function");
    expect(functions.every(({ id }) => cloud.lambda.hasFunction(id ?? ""))).to.equal(true);
    const { urls } = await program.pulumiJson<{ urls: { chat: string; news: string } }>("stack", "output");
    for (const url of [urls.chat, urls.news]) {
      const answer = await fetch(url.replace("ws", "http"), { headers: { connection: "close" } });
      expect(answer.status, url).to.be.within(400, 499);
    }
  });

  it("changes nothing in a second up", async () => {
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("leaves nothing after destroy", async () => {
    const functions = (await program.resources()).filter(({ type }) => type === "aws:lambda/function:Function");
    expect(functions).to.not.be.empty;

    await program.pulumi("destroy", "--yes", "--skip-preview");

    expect(await program.resources()).to.deep.equal([]);
    expect(functions.filter(({ id }) => cloud.lambda.hasFunction(id ?? ""))).to.deep.equal([]);
  });
});
