import { expect } from "chai";
import { recipient, type Relay } from "../../endToEnd/relay";
import type { Playing } from "../playing";
import { Stage, type Surroundings } from "../stage";
import type { Scene } from "./scene";

/** Blocks that connect a client outside a browser. */
export const clientScenes: Record<string, Scene> = {
  "node-client": {
    play: async (block, relays) =>
      works(await relays.replay(), (surroundings) => Stage.withPackages().module(block, surroundings)),
  },
};

/** A client for the context jobs and the contextId worker-1 gets a message, hands it to `work`, and ends with its process. */
async function works(relay: Relay, start: (surroundings: Surroundings) => Promise<Playing>): Promise<void> {
  const to = { user: recipient().user, context: "jobs", contextId: "worker-1" };
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
