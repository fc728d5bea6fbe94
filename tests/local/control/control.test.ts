import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { expect } from "chai";
import { stop } from "esbuild";
import { credentials, region } from "../../../local/account";
import { LocalCloud } from "../../../local/cloud";
import { Control } from "../../../local/control/control";
import { SQSClient, ReceiveMessageCommand } from "@aws-sdk/client-sqs";

/** The control server as it is before a program has run, and with what one made. */
describe("the control server's page", () => {
  let cloud: LocalCloud;
  let control: Control;
  const logs: string[] = [];
  before(async () => {
    const log = (line: string) => void logs.push(line);
    cloud = await LocalCloud.start({ audience: "test", userClaim: "sub", log });
  });
  after(async () => {
    await cloud.close();
    await stop();
  });
  beforeEach(async () => (control = await Control.start(cloud)));
  afterEach(() => control.close());

  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${control.url}${path}`, { headers });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${control.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const relay = (topicArn = "arn:aws:sns:us-east-1:000000000000:topic") => ({
    topicArn,
    managementEndpoint: "http://127.0.0.1:8001/live",
    delivery: "replay" as const,
  });

  it("is made of files of one origin, which may load nothing else, and run no script of their own text", async () => {
    const html = await (await get("/")).text();
    for (const [, path = ""] of html.matchAll(/(?:src|href)="([^"?/][^"]*)"/g)) {
      expect((await get(`/${path}`)).status, path).to.equal(200);
    }
    expect(html).to.not.match(/<script>|<style|\son\w+=|\sstyle=/);
    const policy = (await get("/")).headers.get("content-security-policy") ?? "";
    expect(policy).to.include("default-src 'none'; script-src 'self'; style-src 'self'").and.not.include("unsafe");
    expect(policy).to.include("frame-ancestors 'none'");
  });

  it("may connect to the gateway alone, once the program has made it", async () => {
    const connections = async () =>
      /connect-src ([^;]*)/.exec((await get("/")).headers.get("content-security-policy") ?? "")?.[1];
    expect(await connections()).to.equal("'self'");
    control.serve(relay());
    expect(await connections()).to.equal("'self' ws://127.0.0.1:8001");
  });

  it("is told the relay's address and delivery once there is one, and until then that there is none", async () => {
    expect((await get("/relay")).status).to.equal(503);
    expect((await post("/publish", {})).status).to.equal(503);
    control.serve(relay());
    expect(await (await get("/relay")).json()).to.deep.equal({
      websocketUrl: "ws://127.0.0.1:8001/live",
      delivery: "replay",
    });
  });

  it("gets a token for a user, and is told what is wrong with the question", async () => {
    const token = await (await get("/token?user=42&role=admin")).text();
    const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as object;
    expect(payload).to.include({ sub: "42", role: "admin" });
    const without = await get("/token");
    expect([without.status, await without.text()]).to.satisfy(([status, text]: [number, string]) => {
      return status === 400 && text.includes("/token?user=42");
    });
    expect((await get("/token?user=42&expiresInSeconds=soon")).status).to.equal(400);
  });

  it("publishes to the topic, as the backend's helper does", async () => {
    const create = (type: string, inputs: object) => cloud.provisioner.create(type, "test", { ...inputs });
    const topic = await create("aws:sns/topic:Topic", {});
    const queue = await create("aws:sqs/queue:Queue", {});
    const { arn, url } = queue.outputs as { arn: string; url: string };
    const policy = {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: arn,
      Condition: { ArnEquals: { "aws:SourceArn": topic.id } },
    };
    const document = JSON.stringify({ Version: "2012-10-17", Statement: [policy] });
    await create("aws:sqs/queuePolicy:QueuePolicy", { queueUrl: url, policy: document });
    const subscription = { topic: topic.id, protocol: "sqs", endpoint: arn, rawMessageDelivery: true };
    await create("aws:sns/topicSubscription:TopicSubscription", subscription);
    control.serve(relay(topic.id));

    const publication = { user: "42", context: "chat", contextId: "7", message: "<b>hello</b>", messageId: "m-1" };
    const answer = await post("/publish", publication);
    expect([answer.status, await answer.json()]).to.deep.equal([200, { messageId: "m-1" }]);
    const sqs = new SQSClient({ region, credentials, endpoint: cloud.messaging.endpoint });
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20, MessageAttributeNames: ["All"] }),
    );
    sqs.destroy();
    expect(Messages.map(({ Body }) => Body)).to.deep.equal(["<b>hello</b>"]);
    expect(Messages[0]?.MessageAttributes).to.have.nested.property("user.StringValue", "42");
    expect(Messages[0]?.MessageAttributes).to.have.nested.property("messageId.StringValue", "m-1");
  });

  it("lists the scheduled rules, runs one at once, and says which rule does not exist", async () => {
    const rule = await cloud.provisioner.create("aws:cloudwatch/eventRule:EventRule", "sweep", {
      scheduleExpression: "rate(1 day)",
    });
    const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:none";
    const target = { rule: rule.id, arn: functionArn };
    await cloud.provisioner.create("aws:cloudwatch/eventTarget:EventTarget", "sweep", target);
    expect(await (await get("/rules")).json()).to.deep.equal([rule.id]);
    expect((await post(`/rules/${rule.id}/run`, {})).status).to.equal(204);
    expect(logs.filter((line) => line.startsWith(`rule ${rule.id}:`))).to.have.lengthOf(1);
    const unknown = await post("/rules/none/run", {});
    expect([unknown.status, await unknown.text()]).to.satisfy(([status, text]: [number, string]) => {
      return status === 404 && text.includes("GET /rules");
    });
  });

  const publication = { user: "42", context: "chat", contextId: "7", message: "hello" };
  const refused: [what: string, body: unknown, message: string][] = [
    ["a text", "hello", "allowed: JSON with user, context, contextId, message"],
    ["a list", [], "allowed: JSON with user, context, contextId, message"],
    ["no user", { ...publication, user: "" }, "user"],
    ["a context that no client could have", { ...publication, context: "a#b" }, "context"],
    ["no message", { ...publication, message: undefined }, "message"],
    ["a date that is none", { ...publication, expiresAt: "soon" }, "expiresAt"],
    ["what is no part of a publication", { ...publication, topic: "x" }, "topic"],
  ];
  for (const [what, body, message] of refused) {
    it(`refuses to publish ${what}, saying what is allowed`, async () => {
      control.serve(relay());
      const answer = await post("/publish", body);
      expect(answer.status).to.equal(400);
      expect(await answer.text()).to.include(message);
    });
  }

  it("is sent what happened and what happens, until the run ends", async () => {
    cloud.trace.record("Client", "Gateway", "before");
    const response = await get("/events");
    expect(response.headers.get("content-type")).to.equal("text/event-stream");
    cloud.trace.record("Client", "Gateway", "after");
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      // Ends in order: a stream that breaks would throw here.
      if (text.includes('"after"') && text.endsWith("\n\n")) void control.close();
    }
    expect(text).to.match(/"label":"before"[^]*"label":"after"/);
  });

  it("holds nothing back for a reader of events that does not read", async () => {
    const socket = connect(Number(new URL(control.url).port), "127.0.0.1");
    socket.write(`GET /events HTTP/1.1\r\nHost: ${new URL(control.url).host}\r\n\r\n`);
    await once(socket, "readable");
    // Nobody reads on. A socket's buffers are some megabytes at most; this is more.
    const label = "x".repeat(10_000);
    for (let count = 0; count < 3_000; count += 1) cloud.trace.record("Client", "Gateway", label);
    await new Promise(setImmediate);
    // Another reader is not kept waiting, and is told that it came too late for most.
    const reader = (await get("/events")).body?.getReader();
    let text = "";
    while (!text.includes(label)) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    await reader?.cancel();
    socket.destroy();
  });

  describe("and a foreign page", () => {
    it("get nothing of each other: it can neither drive the server nor read from it", async () => {
      const origin = "https://evil.dev";
      for (const answer of [
        await post("/faults", { management: 410, times: 1 }, { origin }),
        await post("/publish", publication, { origin }),
        await get("/token?user=42", { origin }),
        await get("/events", { origin }),
        await get("/connections", { "sec-fetch-site": "cross-site" }),
      ]) {
        expect(answer.status).to.equal(403);
        expect(await answer.text()).to.include("foreign page");
        expect(answer.headers.get("access-control-allow-origin")).to.equal(null);
      }
      expect(cloud.gateways.takeManagementFault()).to.equal(undefined);
    });

    it("do not meet by a name that resolves to 127.0.0.1", async () => {
      const { port } = new URL(control.url);
      const asked = request({ port, host: "127.0.0.1", path: "/token?user=42", headers: { host: `evil.dev:${port}` } });
      const [{ statusCode }] = (await once(asked.end(), "response")) as [{ statusCode: number }];
      expect(statusCode).to.equal(403);
    });

    it("leave the server's own page, and curl, alone", async () => {
      const { origin } = new URL(control.url);
      expect((await post("/faults", { disconnects: "deliver" }, { origin })).status).to.equal(204);
      expect((await post("/faults", { disconnects: "deliver" })).status).to.equal(204);
    });
  });

  it("loses as many $disconnects as it is told to, and refuses a number where none counts", async () => {
    expect((await post("/faults", { disconnects: "lose", times: 1 })).status).to.equal(204);
    expect([cloud.gateways.takeLostDisconnect(), cloud.gateways.takeLostDisconnect()]).to.deep.equal([true, false]);
    for (const fault of [
      { disconnects: "deliver", times: 1 },
      { disconnects: "lose", times: -1 },
      { jwks: "up", times: 1 },
    ]) {
      const answer = await post("/faults", fault);
      expect([answer.status, await answer.text()].join(" ")).to.match(/^400 .*times: got -?1; allowed/);
    }
  });

  for (const crash of ["resume", "flush"]) {
    it(`says that a program without the function ${crash} cannot have it crash`, async () => {
      const answer = await post("/faults", { crash, times: 1 });
      expect(answer.status).to.equal(404);
      expect(await answer.text()).to.include("no function");
    });
  }
});
