import { RelayClient, type RelayState, type StateDetail, webStorageCursorStore } from "../../client";
import { Arrivals } from "./arrivals";
import * as control from "./controlServer";
import { stateLabels } from "./inWords";
import type { MessageList } from "./messageList";
import { observedSocket } from "./observedSocket";

export interface Addressee {
  user: string;
  context: string;
  contextId: string;
}

export interface SessionListener {
  onState(state: RelayState, detail: StateDetail): void;
  /** Undefined where the page has no connection that could be cut. */
  onConnection(id: string | undefined): void;
  onCursor(text: string): void;
}

/** The client library as the page uses it: one session, connected until it is closed. */
export class Session {
  /** The connection that the gateway knows. */
  connectionId?: string;
  private readonly client: RelayClient;
  private readonly arrivals = new Arrivals();
  private tag = "";

  constructor(
    relay: control.Relay,
    addressee: Addressee,
    heartbeatMs: number,
    list: MessageList,
    private readonly listener: SessionListener,
  ) {
    const { user, context, contextId } = addressee;
    // A tab's own: another tab shows what it has got itself.
    const store = webStorageCursorStore(sessionStorage, JSON.stringify(["cursor", user, context, contextId]));
    this.client = new RelayClient({
      url: relay.websocketUrl,
      context,
      contextId,
      token: () => control.token(user),
      // Short, so that the page shows within seconds how the client notices a cut and recovers.
      heartbeatIntervalMs: heartbeatMs,
      heartbeatTimeoutMs: heartbeatMs,
      // So that the diagram has an acknowledgement soon after each message.
      ackDelayMs: 1_000,
      backoffBaseMs: 500,
      backoffCapMs: 5_000,
      cursorStore: {
        get: () => store.get(),
        set: (cursor) => {
          listener.onCursor(`${cursor.seq} (epoch ${cursor.epoch.slice(0, 8)})`);
          return store.set(cursor);
        },
      },
      WebSocket: observedSocket({
        onMade: (tag) => {
          this.tag = tag;
          this.arrivals.begin();
        },
        onFrame: (data) => {
          this.arrivals.take(data);
          list.duplicates(this.arrivals.duplicates);
        },
      }),
      onMessage: (message) => list.show(message, this.arrivals.originOf(message)),
      onStream: (piece) => list.stream(piece),
      onExpired: ({ seq }) => {
        list.count("expired");
        list.notice(`#${seq} had expired before it came`);
      },
      onGap: ({ lost, first }) => {
        list.count("gaps");
        list.notice(`messages are missing before #${first}: ${lost}`);
      },
      onError: ({ code, message }) => list.notice(`${code}: ${message}`),
      onStateChange: (state, detail) => {
        const { reason } = detail;
        listener.onState(state, detail);
        list.notice(`${stateLabels[state]}${reason === undefined ? "" : `: ${reason}`}`);
        void this.findConnection(state);
      },
    });
  }

  /** Connects. Takes the session back if another connection has it. */
  connect(): void {
    this.client.connect();
  }

  close(): void {
    this.client.close();
  }

  /** No frame tells a client its connection's id: the control server knows it by the handshake's tag. */
  private async findConnection(state: RelayState): Promise<void> {
    const { tag } = this;
    const id = state === "connected" ? await control.connectionOf(tag).catch(() => undefined) : undefined;
    // Another connection was made meanwhile, which will say its own.
    if (tag !== this.tag) return;
    this.connectionId = id;
    this.listener.onConnection(id);
  }
}
