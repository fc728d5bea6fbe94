import { once } from "node:events";
import { dirname } from "node:path";
import { expect } from "chai";
import { parseStreamChunk, SUBPROTOCOLS } from "../../../protocol";
import { BackendApp } from "../../examples/backendApp";
import type { Relay } from "../../endToEnd/relay";
import type { Block } from "../blocks";
import { Stage } from "../stage";
import { pathOf, pathWith } from "../tools";
import { awsEnvironment, type Scene, user42 } from "./scene";

/** Blocks that publish, or cut a user off. */
export const backendScenes: Record<string, Scene> = {
  "publish-by-helper": {
    play: async (block, relays) => helperPublishes(block, await relays.retry(), '{"text":"Your report is ready"}'),
  },
  "smallest-backend": {
    play: async (block, relays) => helperPublishes(block, await relays.retry(), "hello"),
  },
  "publish-batch": {
    play: async (block, relays) => helperPublishes(block, await relays.retry(), '{"text":"Profit is ready"}'),
  },
  "publish-stream": {
    async play(block, relays) {
      const relay = await relays.retry();
      const client = await relay.connect(user42);
      const { topicArn } = relay.addresses;
      const env = awsEnvironment(relay);
      await (await Stage.withPackages().module(block, { values: { topicArn } }, { env })).succeeded();
      const text = () => {
        const chunks = client.messages.flatMap((message) => parseStreamChunk(message) ?? []);
        return chunks.sort((one, other) => one.offset - other.offset).map((chunk) => chunk.text + (chunk.end ?? ""));
      };
      while (text().join("") !== "Your report is readyclosed") await once(client.socket, "message");
      await client.close();
    },
  },
  "snapshot-position": {
    async play(block, relays) {
      const relay = await relays.replay();
      const { topicArn, historyTableName } = relay.addresses;
      const values = { topicArn, historyTableName };
      const env = awsEnvironment(relay);
      const answered = async () =>
        JSON.parse(await (await Stage.withPackages().module(block, { values }, { env })).succeeded()) as {
          state: object;
          from: unknown;
        };
      expect(await answered()).to.deep.equal({
        state: { id: "8", version: 3, title: "Sales" },
        from: { epoch: "", seq: 0 },
      });
      await relay.publish({ user: "42", context: "report", contextId: "8" }, "renamed");
      await relay.untilQueueIsEmpty();
      expect((await answered()).from).to.include({ seq: 1 });
    },
  },
  "publish-scope": {
    async play(block, relays) {
      const relay = await relays.retry();
      const client = await relay.connect(user42);
      const { topicArn } = relay.addresses;
      const env = awsEnvironment(relay);
      await (await Stage.withPackages().module(block, { values: { topicArn } }, { env })).succeeded();
      while (client.messages.length < 2) await once(client.socket, "message");
      expect(client.messages).to.deep.equal(Array(2).fill('{"text":"Your plan ends tomorrow"}'));
      await client.close();
    },
  },
  "disconnect-user": {
    async play(block, relays) {
      const relay = await relays.own("disconnect-user");
      const client = await relay.connect(user42);
      const closed = once(client.socket, "close");
      const { topicArn, tableName, managementEndpoint } = relay.addresses;
      const values = { topicArn, tableName, managementEndpoint };
      await (await Stage.withPackages().module(block, { values }, { env: awsEnvironment(relay) })).succeeded();
      await closed;
      const headers = { authorization: `Bearer ${await relay.token("42")}` };
      expect((await relay.handshake(relay.url(user42), { headers })).status).to.equal(403);
    },
  },
  "publish-by-cli": {
    needs: ["the AWS CLI"],
    play: async (block, relays) => cliPublishes(block, await relays.retry()),
  },
  "publish-by-cli-strict": {
    needs: ["the AWS CLI"],
    play: async (block, relays) => cliPublishes(block, await relays.strict()),
  },
  "fargate-request": {
    async play(block, relays) {
      const relay = await relays.retry();
      const app = await BackendApp.start(relay);
      const client = await relay.connect(user42);
      const stage = new Stage();
      stage.command("bin/pulumi", `#!/bin/sh\n[ "$*" = "stack output backendHost" ] && echo 127.0.0.1:${app.port}\n`);
      expect(JSON.parse(await stage.shell(block).succeeded())).to.have.property("messageId");
      while (client.messages.length === 0) await once(client.socket, "message");
      expect(JSON.parse(client.messages[0] ?? "")).to.include({ text: "hello" });
      await client.close();
      await app.stop();
    },
  },
  "fargate-locally": {
    needs: ["Node 24"],
    async play(block) {
      const stage = await Stage.builtRepository();
      const folder = "examples/fargate-backend/app";
      stage.install(stage, folder);
      const env = { PATH: pathWith(dirname(pathOf("Node 24") ?? "")), PORT: "0" };
      const playing = stage.shell(block, env, folder);
      const { port } = JSON.parse(await playing.line(/^\{"event":"listening"/)) as { port: number };
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).to.equal(200);
      const body = JSON.stringify({ user: "42", chatId: "7", text: "hello" });
      const answer = await fetch(`http://127.0.0.1:${port}/replies`, { method: "POST", body });
      expect(answer.status).to.equal(202);
      playing.signal("SIGTERM");
    },
  },
};

async function helperPublishes(block: Block, relay: Relay, message: string): Promise<void> {
  const client = await relay.connect(user42);
  const { topicArn } = relay.addresses;
  const env = awsEnvironment(relay);
  await (await Stage.withPackages().module(block, { values: { topicArn } }, { env })).succeeded();
  await client.message(message);
  await client.close();
}

async function cliPublishes(block: Block, relay: Relay): Promise<void> {
  const headers = { authorization: `Bearer ${await relay.token("42")}` };
  const subprotocol = relay.addresses.delivery === "replay" ? SUBPROTOCOLS.v1 : SUBPROTOCOLS.raw;
  const client = await relay.connectByUrl(relay.url(user42), { headers }, [subprotocol]);
  if (subprotocol === SUBPROTOCOLS.v1) client.socket.send(JSON.stringify({ action: "resume" }));
  const env = {
    ...awsEnvironment(relay),
    PATH: pathWith(dirname(pathOf("the AWS CLI") ?? "")),
    TOPIC_ARN: relay.addresses.topicArn,
    YOUR_ID: "order-7",
  };
  const answer = JSON.parse(await new Stage().shell(block, env).succeeded()) as object;
  expect(answer).to.have.property("MessageId");
  while (!client.messages.some((message) => message.includes("Your report is ready"))) {
    await once(client.socket, "message");
  }
  await client.close();
}
