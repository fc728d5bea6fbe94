import { isDeepStrictEqual } from "node:util";
import { expect } from "chai";
import { type Recipient, recipient, type Relay } from "../../endToEnd/relay";
import { StreamingBackend } from "../../endToEnd/streams";
import type { Playing } from "../playing";
import { Stage, type Surroundings } from "../stage";
import { pathOf, type Tool } from "../tools";
import { awsEnvironment, type Scene } from "./scene";

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
  "http-read": {
    async play(block, relays) {
      const relay = await relays.httpRead();
      const to = await withMessage(relay, "by curl");
      const { readUrl } = relay.addresses;
      const answer = await new Stage()
        .shell(block, { READ_URL: readUrl, TOKEN: await relay.token(to.user) })
        .succeeded();
      expect(answer).to.match(/^HTTP\/1.1 200 OK\r?\n/);
      expect(answer)
        .to.match(/^stream-next-offset: 0{15}1_[\w-]{12}\r?$/im)
        .and.to.include('"body":"by curl"}]');
    },
  },
  "durable-streams-client": {
    async play(block, relays) {
      const relay = await relays.httpRead();
      const to = await withMessage(relay, "by client");
      const { readUrl } = relay.addresses;
      const functions = { signToken: await relay.token(to.user) };
      const printed = await (await Stage.withPackages().module(block, { values: { readUrl }, functions })).succeeded();
      expect(printed).to.match(/^1 by client\nread on from 0{15}1_[\w-]{12}$/m);
    },
  },
  "client-stream": {
    async play(block, relays) {
      const relay = await relays.replay();
      const to = { user: recipient().user, context: "chat", contextId: "7" };
      const backend = new StreamingBackend(relay);
      const stream = backend.relay.stream(to);
      for (const text of ["Your ", "report ", "is ready"]) await stream.append(text);
      await stream.close();
      backend.close();
      await relay.untilQueueIsEmpty();
      const { websocketUrl } = relay.addresses;
      const functions = { signToken: await relay.token(to.user), show: null };
      const playing = await Stage.withPackages().module(block, { values: { websocketUrl }, functions });
      expect(await playing.call("show")).to.deep.equal([{ answer: "Your report is ready", status: "closed" }]);
      playing.signal("SIGTERM");
    },
  },
  "follow-state": {
    async play(block, relays) {
      const relay = await relays.replay();
      const { websocketUrl, topicArn, historyTableName } = relay.addresses;
      const values = { websocketUrl, topicArn, historyTableName };
      const functions = { signToken: await relay.token("42"), show: null };
      const playing = await Stage.withPackages().module(block, { values, functions }, { env: awsEnvironment(relay) });
      // The state may have the change already.
      await playing.call("show", ([shown]) => isDeepStrictEqual(shown, { title: "Sales and profit", version: 2 }));
      playing.signal("SIGTERM");
    },
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

/** A user whose session in the context chat and the contextId 7 has one message. */
async function withMessage(relay: Relay, message: string): Promise<Recipient> {
  const to = { user: recipient().user, context: "chat", contextId: "7" };
  await relay.publish(to, message);
  await relay.untilQueueIsEmpty();
  return to;
}

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
