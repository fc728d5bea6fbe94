import { expect } from "chai";
import { recipient, type Relay } from "../../endToEnd/relay";
import type { Playing } from "../playing";
import { Stage, type Surroundings } from "../stage";
import { pathOf, type Tool } from "../tools";
import type { Scene } from "./scene";

/** What has a WebSocket of its own, with the arguments that let it run a file. */
const runtimes = {
  "Node 22": ["--no-warnings"],
  "Node 24": [],
  Bun: [],
  Deno: ["run", "--allow-net", "--allow-env"],
};

/** Blocks that connect a client outside a browser. */
export const clientScenes: Record<string, Scene> = {
  "node-client": {
    play: async (block, relays) =>
      works(await relays.replay(), (surroundings) => Stage.withPackages().module(block, surroundings)),
  },
  "global-websocket-client": {
    needs: Object.keys(runtimes) as Tool[],
    async play(block, relays) {
      const [relay, built] = await Promise.all([relays.replay(), Stage.builtRepository()]);
      for (const [tool, args] of Object.entries(runtimes)) {
        const stage = new Stage();
        stage.install(built);
        stage.write("package.json", '{ "type": "module", "dependencies": { "pulumi-websocket-relay": "*" } }');
        stage.write("client.ts", block.text);
        const command = pathOf(tool as Tool) ?? "";
        await works(relay, (surroundings) =>
          stage.start(block, command, [...args, stage.main("client.ts", surroundings)], {}),
        );
      }
    },
  },
};

/** A client for the context chat and the contextId 7 gets a message, hands it to `work`, and ends with its process. */
async function works(relay: Relay, start: (surroundings: Surroundings) => Playing | Promise<Playing>): Promise<void> {
  const to = { user: recipient().user, context: "chat", contextId: "7" };
  const { websocketUrl } = relay.addresses;
  const playing = await start({
    values: { websocketUrl },
    functions: { signToken: await relay.token(to.user), work: null },
  });
  await relay.publish({ ...to, messageId: `for-${to.user}` }, "the job");
  expect(await playing.call("work")).to.deep.equal([`for-${to.user}`, "the job"]);
  playing.signal("SIGTERM");
  await playing.succeeded();
  await relay.untilNoSession(to);
}
