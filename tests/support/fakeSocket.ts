import type { WebSocketConstructor, WebSocketLike } from "../../client";
import { type Action, type Envelope, type Ping, SUBPROTOCOLS } from "../../protocol";

/** A client's socket whose other end a test holds. */
export class FakeSocket implements WebSocketLike {
  protocol = "";
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  /** What the client sent. */
  readonly sent: (Action | Ping)[] = [];
  state: "connecting" | "open" | "closed" = "connecting";
  /** With which the client closed it. */
  closedWith: number | undefined;
  /** For a test that plays the other end. */
  onSent: (action: Action | Ping) => void = () => undefined;
  onClosed: () => void = () => undefined;

  constructor(
    readonly url: string,
    readonly subprotocols: string[],
  ) {}

  send(text: string): void {
    if (this.state === "connecting") throw new Error("InvalidStateError");
    if (this.state === "closed") return;
    const action = JSON.parse(text) as Action | Ping;
    this.sent.push(action);
    this.onSent(action);
  }

  close(code?: number): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.closedWith = code;
    this.onClosed();
  }

  /** The handshake is answered. */
  accept(subprotocol: string = SUBPROTOCOLS.v1): void {
    if (this.state === "closed") return;
    this.state = "open";
    this.protocol = subprotocol;
    this.onopen?.({} as never);
  }

  /** One frame. */
  receive(...envelopes: (Envelope | object)[]): void {
    this.receiveData(JSON.stringify(envelopes.length === 1 ? envelopes[0] : envelopes));
  }

  receiveData(data: unknown): void {
    if (this.state === "open") this.onmessage?.({ data } as never);
  }

  /** The connection ends, or the handshake is refused, as a browser sees it. */
  end(code = 1006, reason = ""): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.onerror?.({} as never);
    this.onclose?.({ code, reason } as never);
  }

  /** An `error` event, as the runtime's WebSocket has it; whether `close` follows is the runtime's. */
  fail(message?: string): void {
    this.onerror?.({ type: "error", message } as never);
  }

  /** What was sent with this action, and is not read yet. */
  take<A extends (Action | Ping)["action"]>(action: A): Extract<Action | Ping, { action: A }>[] {
    const taken = this.sent.filter((each) => each.action === action);
    for (const each of taken) this.sent.splice(this.sent.indexOf(each), 1);
    return taken as Extract<Action | Ping, { action: A }>[];
  }
}

/** The sockets that a client opened. */
export class FakeSockets {
  readonly all: FakeSocket[] = [];
  /** Called with each new one, before the client has it. */
  onNew: (socket: FakeSocket) => void = () => undefined;
  readonly WebSocket: WebSocketConstructor;

  constructor() {
    const register = (socket: FakeSocket) => {
      this.all.push(socket);
      this.onNew(socket);
    };
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, subprotocols: string[]) {
        super(url, subprotocols);
        register(this);
      }
    };
  }

  /** The newest. */
  get last(): FakeSocket {
    const last = this.all.at(-1);
    if (!last) throw new Error("the client opened no connection");
    return last;
  }

  /** Those that are not closed. */
  get live(): FakeSocket[] {
    return this.all.filter(({ state }) => state !== "closed");
  }
}
