import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { deduplicationIdOf, messageGroupOf } from "../../../backend/messageGroup";
import { parseStreamChunk, type StreamChunk } from "../../../protocol";
import { ReplayClient } from "../../endToEnd/replayClient";
import type { Relay } from "../../endToEnd/relay";
import type { Block } from "../blocks";
import type { Playing } from "../playing";
import { Stage } from "../stage";
import { pathOf, pathWith, type Tool } from "../tools";
import { awsEnvironment, type Scene } from "./scene";

/** Programs that publish a message and a stream. */
export const otherLanguagesScenes: Record<string, Scene> = {
  "publish-python": scene("Python with boto3", (block, env) => {
    const stage = new Stage();
    return stage.start(block, pathOf("Python with boto3") ?? "", [stage.write("publish.py", block.text)], env);
  }),
  "publish-java": scene("the AWS SDK for Java", (block, env) => {
    const stage = new Stage();
    const classes = `${dirname(pathOf("the AWS SDK for Java") ?? "")}/*`;
    const args = ["-Dfile.encoding=UTF-8", "-cp", classes, stage.write("Publish.java", block.text)];
    return stage.start(block, "java", args, env);
  }),
  "publish-go": scene("the AWS SDK for Go", (block, env) => {
    const stage = new Stage();
    const module = dirname(pathOf("the AWS SDK for Go") ?? "");
    for (const file of ["go.mod", "go.sum"]) stage.write(file, readFileSync(join(module, file), "utf8"));
    stage.write("publish.go", block.text);
    return stage.start(block, "go", ["run", "publish.go"], env);
  }),
};

/** Characters that languages quote, hash and count differently. */
const OTHERS = { '"42"': '"Zoë \\"1\\" \\\\ <&> 🎉"', " three pages": " drei Seiten 🎉 <&>" };

type Start = (block: Block, env: NodeJS.ProcessEnv) => Playing;

function scene(tool: Tool, start: Start): Scene {
  return {
    needs: [tool],
    async play(block, relays) {
      await publishes(block, await relays.strict(), "42", start);
      const text = Object.entries(OTHERS).reduce((all, [from, to]) => all.replaceAll(from, to), block.text);
      await publishes({ ...block, text }, await relays.replay(), 'Zoë "1" \\ <&> 🎉', start);
    },
  };
}

async function publishes(block: Block, relay: Relay, user: string, start: Start): Promise<void> {
  const to = { user, context: "chat", contextId: "7" };
  const recorder = await Recorder.start(relay);
  const client = await ReplayClient.connect(relay, to);
  const env = {
    ...awsEnvironment(relay),
    AWS_ENDPOINT_URL_SNS: recorder.endpoint,
    TOPIC_ARN: relay.addresses.topicArn,
    PATH: pathWith(),
  };
  await start(block, env).succeeded();
  checkRequests(recorder.requests, to, relay);
  const ids = recorder.requests.map((request) => attributesOf(request).messageId ?? "");
  const text = user === "42" ? "It has three pages" : "It has drei Seiten 🎉 <&>";
  await checkMessages(client, ids, text);
  await client.client.close();
  await recorder.stop();
}

function checkRequests(
  requests: URLSearchParams[],
  to: { user: string; context: string; contextId: string },
  relay: Relay,
): void {
  const group = messageGroupOf({ callerId: `user#${to.user}`, context: `${to.context}#${to.contextId}` });
  expect(requests).to.have.lengthOf(4);
  for (const request of requests) {
    const { messageId = "", ...address } = attributesOf(request);
    expect(address).to.deep.equal(to);
    expect(request.get("MessageGroupId")).to.equal(group);
    const id = relay.addresses.topicArn?.endsWith(".fifo") ? deduplicationIdOf(group, messageId) : null;
    expect(request.get("MessageDeduplicationId")).to.equal(id);
  }
}

/** Attributes of a request in the query protocol of AWS. */
function attributesOf(request: URLSearchParams): Record<string, string> {
  const values: Record<string, string> = {};
  for (let index = 1; request.has(`MessageAttributes.entry.${index}.Name`); index++) {
    const entry = `MessageAttributes.entry.${index}`;
    expect(request.get(`${entry}.Value.DataType`)).to.equal("String");
    values[request.get(`${entry}.Name`) ?? ""] = request.get(`${entry}.Value.StringValue`) ?? "";
  }
  return values;
}

async function checkMessages(client: ReplayClient, ids: string[], text: string): Promise<void> {
  client.send({ action: "resume", from: "oldest" });
  // A message may come live and with the answer. The relay may have joined chunks into one.
  const own = () =>
    client.envelopes.flatMap((each) => (each.type === "message" && ids.includes(each.id) ? [each.body ?? ""] : []));
  const chunks = () => own().flatMap((body) => parseStreamChunk(body) ?? []);
  const isThere = (text: string) => assembled(chunks()) === text && own().includes("Your report is ready");
  while (!isThere(text) || !chunks().some(({ end }) => end === "closed")) await once(client.client.socket, "message");
}

/** The text of chunks that came in any order, and some of them twice. */
function assembled(chunks: StreamChunk[]): string {
  return chunks
    .sort((a, b) => a.offset - b.offset)
    .reduce((all, { offset, text }) => (offset > all.length ? all : all + text.slice(all.length - offset)), "");
}

/** What a program asks of SNS, on its way to the local run. */
class Recorder {
  readonly requests: URLSearchParams[] = [];

  private constructor(private readonly server: Server) {}

  static async start(relay: Relay): Promise<Recorder> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const recorder = new Recorder(server);
    server.on("request", (request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const body = Buffer.concat(parts);
        recorder.requests.push(new URLSearchParams(body.toString()));
        // The others are of this connection.
        const passedOn = ["authorization", "content-type", "x-amz-date"];
        const headers = Object.entries(request.headers).filter(([name]) => passedOn.includes(name));
        void fetch(relay.addresses.awsEndpoint ?? "", {
          method: "POST",
          body,
          headers: headers as [string, string][],
        }).then(
          async (answer) => {
            response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
            response.end(await answer.text());
          },
          (error: Error) => response.writeHead(502).end(error.message),
        );
      });
    });
    return recorder;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}
