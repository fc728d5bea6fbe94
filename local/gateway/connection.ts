import type { WebSocket } from "ws";
import { FrameReader } from "./frameReader";
import { newConnectionId } from "./ids";
import { limits } from "./limits";
import type { Wire } from "./wire";

/** `closing`: the close frame is out, and the client's answer has not come yet. For everyone else it is gone already. */
export type ConnectionState = "connecting" | "open" | "half-open" | "closing" | "closed";

export interface Identity {
  sourceIp: string;
  userAgent?: string;
}

/** Why a connection ended, as `$disconnect` tells it. */
export interface Closing {
  code: number;
  reason: string;
  /** Who ended it: an end that the gateway began is traced when it begins. */
  by: "client" | "gateway";
}

/** The events of a connection that its server handles. */
export interface ConnectionListener {
  onMessage(text: string): void;
  /** The gateway closes the connection; `why` is for the trace. */
  onClosing(code: number, why: string): void;
  onClosed(closing: Closing): void;
}

// RFC 6455, 5.2
const binaryOpcode = 2;

/** One client's connection, from the handshake to the end of its socket. */
export class Connection {
  readonly id = newConnectionId();
  readonly connectedAtMs = Date.now();
  lastActiveAtMs = this.connectedAtMs;
  state: ConnectionState = "connecting";
  /** What its client calls it, which no frame tells its id: the handshake's `tag`. */
  tag?: string;
  private ws?: WebSocket;
  private closing?: Closing;
  private idleTimer?: NodeJS.Timeout;
  private maximumTimer?: NodeJS.Timeout;

  constructor(
    readonly stageName: string,
    /** The host that the client asked for: an API's own, or a custom domain name. */
    readonly domainName: string,
    readonly identity: Identity,
    private readonly wire: Wire,
    private readonly timeScale: number,
    private readonly listener: ConnectionListener,
  ) {}

  /** Whether the management API finds it: not before `$connect` has returned, and not once a side has begun to close. */
  get exists(): boolean {
    return this.state === "half-open" || (this.state === "open" && this.ws?.readyState === this.ws?.OPEN);
  }

  /** The subprotocol that was answered; undefined where none was. */
  get subprotocol(): string | undefined {
    return this.ws?.protocol || undefined;
  }

  /** `$connect` has returned and the handshake is answered: from here on the connection exists. */
  open(ws: WebSocket): void {
    this.ws = ws;
    this.state = "open";
    const frames = new FrameReader((payloadBytes, opcode) => {
      if (opcode === binaryOpcode) this.close(1003, "Unsupported data", "a binary frame");
      else if (payloadBytes > limits.frameBytes) this.close(1009, "Message too long", "a frame over 32 KB");
    });
    // Before ws's own listener, so that the message of a frame that is too large is never taken for one.
    this.wire.prependListener("data", (chunk: Buffer) => {
      this.touch();
      frames.read(chunk);
    });
    ws.on("message", (data: Buffer) => {
      if (this.state === "open") this.listener.onMessage(data.toString());
    });
    ws.on("error", (error: Error & { code?: string }) => {
      // ws has closed with 1009 already, and afterwards reports 1006 for want of the client's answer.
      if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") this.close(1009, "Message too long", "over 128 KB");
    });
    ws.on("close", (code, reason) => this.closed({ code, reason: reason.toString(), by: "client" }));
    this.idleTimer = this.closeAfter(limits.idleTimeoutMs, "idle timeout");
    this.maximumTimer = this.closeAfter(limits.maximumDurationMs, "maximum duration");
  }

  /** Sends one text frame; false if the network is gone and the frame with it, which the gateway cannot know. */
  send(text: string): boolean {
    // A lost frame is not activity: else a sender that keeps trying would keep a dead connection for two hours.
    if (this.state !== "open") return false;
    this.touch();
    this.ws?.send(text);
    return true;
  }

  /** Closes with a close frame. A half-open connection gets no answer to it, so it ends at once. */
  close(code: number, reason: string, why: string): void {
    if (this.closing || !this.ws) return;
    this.closing = { code, reason, by: "gateway" };
    this.listener.onClosing(code, why);
    const { state } = this;
    this.state = "closing";
    this.clearTimers();
    if (state === "half-open") this.ws.terminate();
    else this.ws.close(code, reason);
  }

  /** The network is gone and TCP has not noticed. */
  halfOpen(): boolean {
    if (!this.exists) return false;
    this.state = "half-open";
    this.wire.lose();
    return true;
  }

  /** The TCP connection breaks, and both sides notice. */
  drop(): boolean {
    if (!this.exists) return false;
    this.wire.cut();
    return true;
  }

  /** The client went away between `$connect`'s answer and the 101. */
  closedBeforeOpen(): void {
    this.closed({ code: 1006, reason: "", by: "client" });
  }

  /** Ends the connection without notifying either side, because the API itself is deleted. */
  destroy(): void {
    this.state = "closed";
    this.clearTimers();
    this.wire.cut();
  }

  private closed(seen: Closing): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.clearTimers();
    this.listener.onClosed(this.closing ?? { ...seen, reason: seen.reason || defaultReason(seen.code) });
  }

  private touch(): void {
    this.lastActiveAtMs = Date.now();
    this.idleTimer?.refresh();
  }

  private closeAfter(ms: number, why: string): NodeJS.Timeout {
    return setTimeout(() => this.close(1001, "Going away", why), ms / this.timeScale);
  }

  private clearTimers(): void {
    clearTimeout(this.idleTimer);
    clearTimeout(this.maximumTimer);
    this.idleTimer = undefined; // A refresh would start it again.
  }
}

// As seen in $disconnect events; AWS documents none of them.
function defaultReason(code: number): string {
  if (code === 1005) return "Client-side close frame status not set";
  if (code === 1006) return "Connection closed abnormally";
  return "";
}
