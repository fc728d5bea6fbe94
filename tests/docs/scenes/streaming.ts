import { once } from "node:events";
import { expect } from "chai";
import { parseStreamChunk } from "../../../protocol";
import type { Relay } from "../../endToEnd/relay";
import { allBlocks, type Block } from "../blocks";
import type { Playing } from "../playing";
import { Stage } from "../stage";
import { awsEnvironment, type Relays, type Scene, user42 } from "./scene";

let tutorial: Promise<void> | undefined;

/** The three blocks of the tutorial run together, once. */
const ofTutorial: Scene = { play: (_block, relays) => (tutorial ??= playTutorial(relays)) };

/** Blocks that stream. */
export const streamingScenes: Record<string, Scene> = {
  "ai-streaming-client": ofTutorial,
  "ai-streaming-backend": ofTutorial,
  "ai-streaming-cut": ofTutorial,
  "ag-ui-backend": {
    async play(block, relays) {
      const relay = await relays.retry();
      const client = await relay.connect(user42);
      const values = { topicArn: relay.addresses.topicArn };
      await (await Stage.withPackages().module(block, { values }, { env: awsEnvironment(relay) })).succeeded();
      const chunks = () =>
        client.messages
          .flatMap((message) => parseStreamChunk(message) ?? [])
          .sort((one, other) => one.offset - other.offset);
      const events = () =>
        chunks()
          .map(({ text }) => text)
          .join("")
          .split("\n");
      while (!events().at(-2)?.includes("RUN_FINISHED")) await once(client.socket, "message");
      expect(events()).to.have.lengthOf(9);
      while (chunks().at(-1)?.end !== "closed") await once(client.socket, "message");
      await client.close();
    },
  },
};

/** The client shows each word once, although its connection is cut while the backend writes. */
async function playTutorial(relays: Relays): Promise<void> {
  const relay = await relays.replay();
  const client = await startIn(relay, "ai-streaming-client");
  const backend = await startIn(relay, "ai-streaming-backend");
  const line = (index: number) => Array.from({ length: 20 }, (_, word) => `word ${20 * index + word + 1}`).join(", ");
  await client.line(new RegExp(`^${line(0)}$`));
  await (await startIn(relay, "ai-streaming-cut")).succeeded();
  for (let index = 1; index < 5; index++) await client.line(new RegExp(`^${line(index)}$`));
  await client.line(/^The stream is closed\.$/);
  await backend.succeeded();
  client.signal("SIGINT");
  await client.succeeded();
}

async function startIn(relay: Relay, name: string): Promise<Playing> {
  const block = allBlocks().find(({ mark }) => mark?.kind === "run" && mark.name === name) as Block;
  const stage = Stage.withPackages();
  stage.write("relay.json", JSON.stringify(relay.addresses));
  return block.language === "sh" ? stage.shell(block) : stage.module(block, {});
}
