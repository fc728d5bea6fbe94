import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { build, stop } from "esbuild";
import type { Relay } from "../../endToEnd/relay";
import type { Block } from "../blocks";
import { Stage } from "../stage";
import { type Scene, user42 } from "./scene";
import { repository } from "../../support/repository";

/** Blocks that a user pastes into a shell. */
export const commandLineScenes: Record<string, Scene> = {
  "see-it-work": {
    // It runs the tests that this is one of.
    async play({ text }) {
      const steps = readFileSync(join(repository, ".ci/run"), "utf8").split("\n");
      expect(steps).to.include.members(text.trim().split(/ && |\n/));
    },
  },
  "npm-start": {
    async play(block) {
      const playing = new Stage().shell(block, {}, repository);
      await playing.line(/^Ctrl-C ends it/);
      playing.signal("SIGINT");
      await playing.succeeded();
    },
  },
  "command-line": {
    async play(block, relays) {
      const relay = await relays.fast();
      await deadLetterOf(relay, "away-42");
      const client = await relay.connect(user42);
      const stage = await consumer();
      stage.command("bin/pulumi", outputsOf({ dev: relay }));
      const printed = await stage.shell(block).succeeded();
      expect(printed)
        .to.match(/no-session +\d+ +away-42/)
        .and.match(/would-be-redriven.*away-42|away-42.*would-be-redriven/)
        .and.match(/chat +7/)
        .and.match(/USD/);
      expect((await relay.session(user42))?.connection_id).to.equal(undefined);
      client.socket.terminate();
    },
  },
  "move-dead-letters": {
    async play(block, relays) {
      const old = await relays.fast();
      await deadLetterOf(old, "away-42");
      const stage = await consumer();
      stage.command("bin/pulumi", outputsOf({ new: await relays.retry(), old }));
      const printed = await stage.shell(block, { ID: "away-42" }).succeeded();
      expect(printed)
        .to.match(/no-session +\d+ +away-42/)
        .and.match(/would-be-redriven/);
    },
  },
  "command-line-locally": {
    async play(block) {
      expect(await Stage.ofRepository().shell(block).succeeded()).to.include("message id");
    },
  },
  "conformance-client": {
    // tests/conformance plays all scenarios, which takes longer.
    async play(block) {
      const stage = await consumer();
      stage.link("node_modules/ws", join(repository, "node_modules/ws"));
      await stage.bundle(block.text, "client.mjs");
      const command = "npx pulumi-websocket-relay conformance --only R1.1,R3.1,R5.1,R6.2,R9.1,S2 -- node client.mjs";
      const printed = await stage.shell({ ...block, text: command }).succeeded();
      expect(printed).to.match(/^Met: 4 of 4 that a client must meet, 2 of 2 that/m);
    },
  },
  cost: {
    async play(block) {
      expect(await (await consumer()).shell(block).succeeded()).to.match(/USD/);
    },
  },
  capacity: {
    async play(block) {
      const printed = await (await consumer()).shell(block).succeeded();
      expect(printed)
        .to.match(/^pulumi config set maximumConcurrency \d+$/m)
        .and.match(/L-8A5B8E43/)
        .and.match(/USD/);
    },
  },
  "capacity-fleet": {
    async play(block) {
      const printed = await (await consumer()).shell(block).succeeded();
      expect(printed.match(/^About [\d,]+ USD/gm)).to.have.lengthOf(2);
      expect(printed).to.match(/^aws service-quotas .* --region eu-west-1 /m);
    },
  },
  ...Object.fromEntries(["chat", "reports", "streaming"].map((product) => [`cost-${product}`, { play: playCost }])),
};

/** A month in retry mode, then in replay mode: with the totals that the page has. */
async function playCost(block: Block): Promise<void> {
  const printed = await (await consumer()).shell(block).succeeded();
  const [retry, replay, ...more] = [...printed.matchAll(/^total +([\d.]+)$/gm)].map(([, usd]) =>
    Math.round(Number(usd)),
  );
  expect(more).to.deep.equal([]);
  expect(replay).to.be.below(retry as number);
  const page = readFileSync(join(repository, block.file), "utf8").replace(/\s+/g, " ");
  expect(page).to.match(new RegExp(`[Aa]bout ${retry} USD in retry mode[^.]* ${replay} USD in replay mode`));
}

/** A folder in which the package is installed, so that npx finds its command line. */
async function consumer(): Promise<Stage> {
  const stage = new Stage();
  // One folder below the package's own package.json, where it finds its version.
  const packages = Stage.withPackages();
  packages.link("package.json", join(repository, "package.json"));
  const outfile = join(packages.folder, "cli", "cli.cjs");
  const entryPoints = [join(repository, "cli/index.ts")];
  await build({ entryPoints, outfile, bundle: true, packages: "external", platform: "node" });
  await stop();
  stage.command("node_modules/.bin/pulumi-websocket-relay", `#!/bin/sh\nexec node '${outfile}' "$@"\n`);
  return stage;
}

/** What `pulumi stack output` would print of stacks by their names, of which the last one is selected. */
function outputsOf(stacks: Record<string, Relay>): string {
  const cases = Object.entries(stacks).map(
    ([name, { addresses }]) => `  *"--stack ${name}"*) echo '${JSON.stringify(addresses)}' ;;`,
  );
  const [selected] = Object.values(stacks);
  return `#!/bin/sh
case "$*" in
${cases.join("\n")}
  "stack output --json") echo '${JSON.stringify(selected?.addresses)}' ;;
  *) echo "pulumi: $*?" >&2; exit 1 ;;
esac
`;
}

/** Publishes to user 42, who is away for too long. */
async function deadLetterOf(relay: Relay, messageId: string): Promise<void> {
  await relay.publish({ ...user42, messageId }, "while you were away");
  await relay.log({ event: "dead-lettered", messageId });
}
