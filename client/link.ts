import {
  type Cursor,
  type Envelope,
  type ErrorEnvelope,
  type GatewayError,
  type Pong,
  SUBPROTOCOLS,
} from "../protocol";
import { Connection, type EndDetail } from "./connection";
import { isCursor } from "./cursorStore";
import type { Inbox } from "./inbox";
import { Resumer } from "./resumer";
import type { Settings } from "./settings";

export interface LinkEvents {
  /** The connection is open and, in replay mode, has resumed: messages arrive. Called after each resume. */
  ready(): void;
  /** The inbox may have a new item. `moreFollows`: the rest of the frame follows. */
  arrived(moreFollows?: boolean): void;
  /** The relay answered a resume with this cursor. */
  resumed(cursor: Cursor | undefined, ackSeconds: number | undefined): void;
  superseded(): void;
  renewalDue: () => void;
  /** Called once, as the last event. Not called after `close()`. */
  ended(detail: EndDetail): void;
}

/** A frame of the gateway: unlike the relay's own frames, it has no type. */
type Untyped = GatewayError & { type?: undefined };

// The message if a route or account exceeds its limit: https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html
const TOO_MANY_REQUESTS = "Too Many Requests";

/** The protocol over one connection: messages go to the inbox, which all connections of a client share. */
export class Link {
  readonly connection: Connection;
  readonly resumer: Resumer;
  /** Whether the handshake succeeded. */
  hasOpened = false;
  private hasReportedGatewayError = false;

  constructor(
    private readonly settings: Settings,
    private readonly inbox: Inbox,
    private readonly events: LinkEvents,
  ) {
    this.connection = new Connection(settings, {
      opened: () => this.opened(),
      received: (text) => (this.hasNumbers ? this.receivedFrame(text) : this.receivedRaw(text)),
      renewalDue: events.renewalDue,
      ended: (detail) => {
        this.resumer.stop();
        events.ended(detail);
      },
    });
    this.resumer = new Resumer(settings, inbox, (resume) => {
      this.connection.heartbeat.hurry();
      this.connection.send(resume);
    });
  }

  /** Whether the relay is in replay mode, where messages have numbers. */
  get hasNumbers(): boolean {
    return this.connection.subprotocol === SUBPROTOCOLS.v1;
  }

  close(): void {
    this.resumer.stop();
    this.connection.close();
  }

  private opened(): void {
    this.hasOpened = true;
    if (this.hasNumbers) this.resumer.ask();
    else this.events.ready();
  }

  private receivedRaw(text: string): void {
    // A message may be any text. A response to a ping is not a message, and arrives only after a ping.
    if (this.connection.heartbeat.pings > 0) {
      const value = parsed(text);
      if (isGatewayError(value)) return this.receivedGatewayError(value);
      if (isPong(value)) return this.connection.heartbeat.answered();
    }
    this.inbox.acceptRaw(text);
    this.events.arrived();
  }

  private receivedFrame(text: string): void {
    // A member that is null counts as absent: many languages write absent members as null.
    const value = parsed(text, (_, member) => (member ?? undefined) as unknown);
    for (const envelope of Array.isArray(value) ? (value as unknown[]) : [value]) {
      // A callback may have closed the client.
      if (this.connection.isEnded) break;
      this.receivedEnvelope(envelope);
    }
    this.events.arrived();
    if (!this.connection.isEnded) this.resumer.check();
  }

  private receivedEnvelope(value: unknown): void {
    if (typeof value !== "object" || value === null) return this.malformed();
    const envelope = value as Envelope | Pong | Untyped;
    switch (envelope.type) {
      case "message": {
        const { seq, first = seq } = envelope;
        if (!isCursor(envelope) || !areNumbers(first - 1, seq - first)) return this.malformed();
        this.inbox.accept(envelope, this.resumer.through);
        return this.events.arrived(true);
      }
      case "hello":
        if (!areNumbers(envelope.newest, envelope.oldest, envelope.ackSeconds ?? 0)) return this.malformed();
        this.resumer.hello = envelope;
        return;
      case "resumed":
        if (!areNumbers(envelope.first, envelope.through) || !this.resumer.resumed(envelope)) return this.malformed();
        this.events.resumed(this.resumer.confirmed, this.resumer.hello?.ackSeconds);
        return this.events.ready();
      case "superseded":
        return this.events.superseded();
      case "error":
        return this.receivedError(envelope);
      case "pong":
        return this.connection.heartbeat.answered();
      default:
        if (isGatewayError(envelope)) this.receivedGatewayError(envelope);
      // Other frames belong to a later version of the protocol.
    }
  }

  private receivedError({ code, message, action }: ErrorEnvelope): void {
    const { report } = this.settings;
    if (code === "no-session") return this.connection.end({ reason: `no session: ${message}` });
    if (code === "bad-request") {
      report("bad-request", `the relay rejected a frame: ${message}`);
      if (action !== "ack") this.resumer.refused();
    } else {
      // First: the callback may close the client.
      this.resumer.failed();
      report("unavailable", `the relay failed: ${message}`);
    }
  }

  /** The error does not say which frame it answers: a ping is more likely than others. */
  private receivedGatewayError({ message }: GatewayError): void {
    const isThrottled = message === TOO_MANY_REQUESTS;
    const { heartbeat } = this.connection;
    if (heartbeat.pings > 0) heartbeat.answered(isThrottled);
    else this.resumer.failed();
    // Throttling is not reported. Other errors of the gateway repeat with every frame, so they are reported once.
    if (this.hasReportedGatewayError || isThrottled) return;
    this.hasReportedGatewayError = true;
    this.settings.report("unavailable", `error of the gateway: ${message}`);
  }

  private malformed(): void {
    this.settings.report("frame", "an invalid frame");
  }
}

function parsed(text: string, reviver?: (key: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    return undefined;
  }
}

function isPong(value: unknown): boolean {
  return (value as Partial<Pong> | null | undefined)?.type === "pong" && Object.keys(value as object).length === 1;
}

function isGatewayError(value: unknown): value is Untyped {
  const { type, message, connectionId } = (value ?? {}) as Partial<Untyped>;
  return type === undefined && typeof message === "string" && typeof connectionId === "string";
}

function areNumbers(...values: unknown[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);
}
