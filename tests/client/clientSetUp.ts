import { expect } from "chai";
import { type Gap, RelayClient, type RelayClientError, type RelayClientOptions, type StateDetail } from "../../client";
import type { Hello, MessageEnvelope, Resumed } from "../../protocol";
import { FakeSockets, type FakeSocket } from "../support/fakeSocket";
import { VirtualClock } from "../support/virtualClock";

export const EPOCH = "e1";

export const cursor = (seq: number) => ({ epoch: EPOCH, seq });
/** @param arrived The last number that has arrived, if that is not `seq`: the cursor waits for an open stream. */
export const resumeAfter = (seq: number, arrived?: number) => ({
  action: "resume",
  cursor: cursor(seq),
  ...(arrived !== undefined && { after: arrived }),
});

/** A client over fake sockets and virtual time, and all that it told its user. */
export class ClientSetUp {
  readonly clock = new VirtualClock();
  readonly sockets = new FakeSockets();
  /** What the next random number is. */
  randomly = 0.5;
  readonly messages: string[] = [];
  readonly gaps: Gap[] = [];
  readonly expired: number[] = [];
  readonly errors: RelayClientError[] = [];
  readonly states: (StateDetail & { state: string })[] = [];
  readonly client: RelayClient;

  constructor(options: Partial<RelayClientOptions> = {}) {
    this.client = new RelayClient({
      url: "wss://relay.test/live",
      context: "chat",
      contextId: "7",
      onMessage: ({ body }) => void this.messages.push(body),
      onGap: (gap) => void this.gaps.push(gap),
      onExpired: ({ seq }) => void this.expired.push(seq),
      onError: (error) => void this.errors.push(error),
      onStateChange: (state, detail) => void this.states.push({ state, ...detail }),
      WebSocket: this.sockets.WebSocket,
      clock: this.clock,
      random: () => this.randomly,
      ...options,
    });
  }

  get socket(): FakeSocket {
    return this.sockets.last;
  }

  get errorCodes(): string[] {
    return this.errors.map(({ code }) => code);
  }

  /** Connects, and has resumed after `seq`, the newest number. */
  connected(seq = 0, announced: Partial<Hello> = {}): FakeSocket {
    this.client.connect();
    return this.accepted(seq, announced);
  }

  /** The newest connection opens, and has resumed after `seq`, the newest number. */
  accepted(seq = 0, announced: Partial<Hello> = {}): FakeSocket {
    const { socket } = this;
    socket.accept();
    const [greeting, ...rest] = answer({ first: seq + 1, through: seq });
    socket.receive({ ...greeting, ...announced }, ...rest);
    socket.sent.length = 0;
    return socket;
  }
}

export function hello(newest: number, rest: Partial<Hello> = {}): Hello {
  return { type: "hello", ...(newest > 0 && { epoch: EPOCH }), oldest: Math.min(1, newest + 1), newest, ...rest };
}

/** What answers a resume: hello, result, and the messages of the page. */
export function answer(
  { first, through, newest = through, ...rest }: Partial<Resumed> & { first: number; through: number; newest?: number },
  epoch = EPOCH,
): object[] {
  const resumed: Resumed = { type: "resumed", recovered: true, first, through, ...rest };
  return [hello(newest, newest > 0 ? { epoch } : {}), resumed, ...messages(first, through, epoch)];
}

export function message(seq: number, rest: Partial<MessageEnvelope> = {}): MessageEnvelope {
  return { type: "message", id: `id-${seq}`, epoch: EPOCH, seq, body: `m${seq}`, ...rest };
}

export function messages(first: number, through: number, epoch = EPOCH): MessageEnvelope[] {
  return Array.from({ length: Math.max(through - first + 1, 0) }, (_, index) => message(first + index, { epoch }));
}

export function bodies(first: number, through: number): string[] {
  return messages(first, through).map(({ body }) => body as string);
}

/** When a connection is replaced, at a random number of 0.5. */
export const RENEWAL_MS = 6_120_000;

/** Time passes over a connection that answers its heartbeats. */
export async function living(setUp: ClientSetUp, durationMs: number): Promise<void> {
  const { socket } = setUp;
  socket.onSent = ({ action }) => {
    if (action === "ping") socket.receive({ type: "pong" });
  };
  await setUp.clock.advance(durationMs);
}

/** Connected, for so long that the next connection is under way. */
export async function grownOld(setUp: ClientSetUp): Promise<ClientSetUp["socket"]> {
  const old = setUp.connected();
  await living(setUp, RENEWAL_MS);
  expect(setUp.sockets.all).to.have.lengthOf(2);
  return old;
}
