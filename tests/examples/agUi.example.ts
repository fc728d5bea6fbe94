import { setTimeout as delay } from "node:timers/promises";
import { AbstractAgent } from "@ag-ui/client";
import { type BaseEvent, EventType, type RunAgentInput } from "@ag-ui/core";
import { SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { Observable, type Subscriber } from "rxjs";
import { WebSocket } from "ws";
import { receiveEvents, sendEvents, TRANSPORT_CAPABILITIES } from "../../agUi";
import { RelayBackend } from "../../backend";
import { RelayClient } from "../../client";
import { type Recipient, recipient, Relay } from "../endToEnd/relay";

const TOKENS = Array.from({ length: 500 }, (_, index) => (index % 20 === 19 ? `"${index}"\n` : `tokén ${index} `));
const TOKENS_PER_SECOND = 50;

describe("an AG-UI agent behind the relay", function () {
  this.timeout(60_000);

  let relay: Relay;
  let backend: RelayBackend;
  const clients: RelayClient[] = [];

  before(async () => {
    relay = await Relay.start(["-c", "delivery=replay"]);
    const { topicArn, region, awsEndpoint: endpoint, accessKeyId, secretAccessKey } = relay.addresses;
    const sns = new SNSClient({ region, endpoint, credentials: { accessKeyId, secretAccessKey } });
    backend = new RelayBackend({ topicArn, clients: { sns } });
  });
  afterEach(() => clients.splice(0).forEach((client) => client.close()));
  after(() => relay?.stop());

  async function* run(
    { threadId, runId }: Pick<RunAgentInput, "threadId" | "runId">,
    onToken?: (index: number) => void,
    tokensPerSecond = TOKENS_PER_SECOND,
  ): AsyncGenerator<BaseEvent> {
    yield { type: EventType.RUN_STARTED, threadId, runId };
    yield { type: EventType.TEXT_MESSAGE_START, messageId: runId, role: "assistant" };
    const startMs = performance.now();
    for (const [index, delta] of TOKENS.entries()) {
      await delay(Math.max(0, startMs + (index * 1000) / tokensPerSecond - performance.now()));
      yield { type: EventType.TEXT_MESSAGE_CONTENT, messageId: runId, delta };
      onToken?.(index);
    }
    yield { type: EventType.TEXT_MESSAGE_END, messageId: runId };
    yield { type: EventType.RUN_FINISHED, threadId, runId };
  }

  const connect = ({ user, context, contextId }: Recipient, onEvent: (event: BaseEvent, runId: string) => void) => {
    const client = new RelayClient({
      context,
      contextId,
      url: relay.addresses.websocketUrl,
      token: () => relay.token(user),
      WebSocket,
      onMessage: () => undefined,
      onStream: receiveEvents({ validate: false, onEvent }),
    });
    clients.push(client);
    client.connect();
    return client;
  };

  class RelayAgent extends AbstractAgent {
    private readonly runs = new Map<string, Subscriber<BaseEvent>>();

    constructor(
      private readonly to: Recipient,
      private readonly onToken: (index: number) => void,
    ) {
      super();
      connect(to, (event, runId) => {
        this.runs.get(runId)?.next(event);
        if (event.type === EventType.RUN_FINISHED || event.type === EventType.RUN_ERROR)
          this.runs.get(runId)?.complete();
      });
    }

    run(input: RunAgentInput): Observable<BaseEvent> {
      return new Observable((events) => {
        this.runs.set(input.runId, events);
        const stream = backend.stream({ ...this.to, streamId: input.runId });
        sendEvents(run(input, this.onToken), stream).catch((error: unknown) => events.error(error));
        return () => this.runs.delete(input.runId);
      });
    }

    override async getCapabilities() {
      return { transport: TRANSPORT_CAPABILITIES };
    }
  }

  const cut = async () => {
    const all = await relay.controlled<{ id: string; state: string }[]>("/connections");
    const open = all.find(({ state }) => state === "open");
    await relay.control(`/connections/${encodeURIComponent(open?.id ?? "")}/drop`);
  };

  it("runs an agent of @ag-ui/client, token for token, although the network is cut twice", async () => {
    const cuts: Promise<void>[] = [];
    const agent = new RelayAgent(recipient(), (index) => {
      if (index === 150 || index === 350) cuts.push(cut());
    });
    const { newMessages } = await agent.runAgent();
    expect(newMessages.map(({ content }) => content)).to.deep.equal([TOKENS.join("")]);
    expect(cuts).to.have.lengthOf(2);
    await Promise.all(cuts);
    expect((await agent.getCapabilities()).transport.resumable).to.equal(true);
  });

  it("gives a client that is started in the middle of a run all its events from RUN_STARTED, each once", async () => {
    const to = recipient();
    const stream = backend.stream({ ...to, streamId: "run" });
    const input = { threadId: "thread", runId: "run" };
    const expected: BaseEvent[] = [];
    for await (const event of run(input, undefined, Infinity)) expected.push(event);

    const before = connect(to, () => undefined);
    let restarted: Promise<BaseEvent[]> | undefined;
    const sent = run(input, (index) => {
      if (index !== 200) return;
      before.close();
      restarted = new Promise((resolve) => {
        const events: BaseEvent[] = [];
        connect(to, (event) => {
          events.push(event);
          if (event.type === EventType.RUN_FINISHED) resolve(events);
        });
      });
    });
    await sendEvents(sent, stream);
    expect(await restarted).to.deep.equal(expected);
  });
});
