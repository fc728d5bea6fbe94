import type { WebSocket } from "ws";
import type { RelayClientOptions } from "../../client";

export type Frame = Record<string, unknown> & { type?: string; action?: string };

/** What is wrong with a client. */
export interface Fault {
  /** The error that the suite has to report. */
  reason: RegExp;
  options?: Partial<RelayClientOptions>;
  /** Whether it waits until a message is handled. @default true */
  awaits?: boolean;
  /** Whether it forgets its cursor when it ends. */
  forgets?: boolean;
  /** Whether it connects again after `superseded`. */
  returns?: boolean;
  /** Lines that it does not print. */
  silent?(line: Frame): boolean;
  url?(url: string): string;
  protocols?(offered: string[]): string[];
  socketOptions?: object;
  /** What it sends in place of a frame. */
  sends?(frame: Frame, socket: Wire): Frame[];
  /** What it takes an envelope for. */
  receives?(envelope: Frame, socket: Wire): Frame[];
  /** What it takes a text for. */
  reads?(text: string): string;
  opened?(socket: Wire): void;
  /** Whether it ignores the end of a connection. */
  ignoresEnd?(hasOpened: boolean, code: number): boolean;
}

/** What a fault can do besides. */
export interface Wire {
  send(frame: Frame): void;
  close(): void;
  print(line: Frame): void;
  /** Kept for one connection. */
  memory: Record<string, number>;
}

const NEVER_MS = 540_000;
const neverPings = { heartbeatIntervalMs: NEVER_MS };
const drops =
  (action: string, matches: (frame: Frame) => boolean = () => true) =>
  (frame: Frame) =>
    frame.action === action && matches(frame) ? [] : [frame];
const cursorOf = (frame: Frame) => frame.cursor as { epoch: string; seq: number } | undefined;
const noGaps = ({ type }: Frame) => type === "gap";
const toldOf = ({ seq, body }: Frame) => ({ type: "message", seq, body });

/** Prints messages as they come, and not once they are next. */
const printsAtOnce: Pick<Fault, "silent" | "receives"> = {
  silent: (line) => line.type === "message" && !("atOnce" in line),
  receives(envelope, { print }) {
    if (envelope.type === "message") print({ ...toldOf(envelope), atOnce: true });
    return [envelope];
  },
};

const resumesAtOnce = (isError: (envelope: Frame) => boolean): Pick<Fault, "receives"> => ({
  receives(envelope, { send }) {
    if (isError(envelope)) send({ action: "resume" });
    return isError(envelope) ? [] : [envelope];
  },
});

/** One wrong client for each requirement, by its ID. */
export const faults: Record<string, Fault> = {
  H1: {
    protocols: () => ["websocket-relay.raw"],
    reason: /expected websocket-relay\.v1 .*; got \["websocket-relay\.raw"\]/,
  },
  H2: {
    url: (url) => url.replaceAll("%20", "+"),
    reason: /expected context=a%20chat%20%26%20more in the query; got context=a\+chat/,
  },
  H3: {
    protocols: (offered) => offered.filter((each) => !each.includes("bearer")),
    reason: /expected a token .*; got none/,
  },
  H4: { options: { token: () => "token-1" }, reason: /expected another token after a refused handshake/ },
  F1: {
    reads: (text) => (text.startsWith("[") ? JSON.stringify((JSON.parse(text) as Frame[])[0]) : text),
    reason: /expected the message "m5"/,
  },
  F2: { reads: (text) => (text.includes("later") ? "" : text), reason: /expected the message "m3"/ },
  F3: { reads: (text) => text.replaceAll(":null", ':"null"'), reason: /expected the message "m1"/ },
  F4: { socketOptions: { maxPayload: 65_536 }, reason: /expected the message "€+…"/ },
  F5: {
    receives: (envelope) => [
      envelope.type === "message" ? { ...envelope, seq: Math.fround(envelope.seq as number) } : envelope,
    ],
    reason: /expected the message "m9007199254740989"/,
  },
  "R1.1": {
    opened: ({ send }) => send({ action: "ping" }),
    reason: /expected .*"resume".* first; got \{"action":"ping"\}/,
  },
  "R1.2": { options: { resumeTimeoutMs: NEVER_MS, heartbeatIntervalMs: NEVER_MS }, reason: /expected a second resume/ },
  "R1.3": {
    sends: (frame) => (frame.action === "resume" ? [frame, frame] : [frame]),
    reason: /expected no resume before the answer to the first one/,
  },
  "R2.1": { silent: noGaps, reason: /expected a line of the type gap/ },
  "R2.2": {
    sends: (frame) => [cursorOf(frame) ? { ...frame, cursor: { ...cursorOf(frame), epoch: "Zk3vQ9x1LmPq" } } : frame],
    reason: /expected a resume after .*b7Wq0dTy5RnE.*; got .*Zk3vQ9x1LmPq/,
  },
  "R2.3": {
    receives: (envelope) => [envelope.lost === "ahead" ? { ...envelope, lost: "expired" } : envelope],
    reason: /expected the message "again 1"/,
  },
  "R2.4": {
    receives(envelope, { print, memory }) {
      if (envelope.type === "resumed") memory.first = envelope.first as number;
      else if (envelope.type === "message" && (envelope.seq as number) <= (memory.shown ?? 0)) print(toldOf(envelope));
      if (envelope.type === "message") memory.shown = Math.max(memory.shown ?? 0, envelope.seq as number);
      return [envelope];
    },
    reason: /expected the message "m5" after \["m1","m2","m3","m4"\]; got "m3"/,
  },
  "R2.5": {
    sends: drops("resume", (frame) => cursorOf(frame)?.seq === 0),
    reason: /expected a resume after .*"seq":0/,
  },
  "R2.6": {
    sends: (frame) => [frame.from === "oldest" ? { ...frame, from: "acknowledged" } : frame],
    reason: /expected .*"from":"oldest".*; got .*"from":"acknowledged"/,
  },
  "R2.7": { silent: noGaps, reason: /expected a line of the type gap/ },
  "R3.1": { ...printsAtOnce, reason: /expected the message "m1" after \[\]; got "m3"/ },
  "R3.2": { ...printsAtOnce, reason: /expected the message "m3" after \["m1","m2"\]; got "m2"/ },
  "R3.3": { receives: (envelope) => (envelope.expired ? [] : [envelope]), reason: /expected the message "m4"/ },
  "R3.4": {
    receives: (envelope) => [envelope.type === "message" ? { ...envelope, epoch: "Zk3vQ9x1LmPq" } : envelope],
    reason: /expected no further message after \["m1","m2"\]; got "n1"|expected a resume after/,
  },
  "R3.5": {
    receives: (envelope) => (envelope.epoch === "b7Wq0dTy5RnE" ? [] : [envelope]),
    reason: /expected a resume after/,
  },
  "R4.1": {
    sends: drops("resume", (frame) => !!cursorOf(frame)),
    reason: /expected a resume after .*"seq":2/,
  },
  "R4.2": {
    receives(envelope, { send }) {
      if (envelope.seq === 4) send({ action: "resume", cursor: { epoch: envelope.epoch, seq: 2 } });
      return [envelope];
    },
    reason: /expected no resume for a number that has come/,
  },
  "R4.3": {
    receives: (envelope) => [envelope.type === "hello" ? { ...envelope, newest: 2 } : envelope],
    reason: /expected a resume after .*"seq":2/,
  },
  "R4.4": { options: { resumeTimeoutMs: NEVER_MS }, reason: /expected a resume after .*"seq":2/ },
  "R5.1": { forgets: true, reason: /expected a resume after .*"seq":2.*; got .*"from"/ },
  "R5.2": { awaits: false, reason: /expected a cursor up to 0, .*; got 2/ },
  "R6.1": { options: { ackDelayMs: NEVER_MS }, reason: /expected an ack with the cursor of message 3/ },
  "R6.2": { sends: drops("ack"), reason: /expected an ack with .*"seq":3.*; got none/ },
  "R6.3": { options: { ackEveryMessages: 1 }, reason: /expected no ack without ackSeconds/ },
  "R6.4": {
    receives(envelope, { send }) {
      if (envelope.recovered === false) send({ action: "ack", cursor: { epoch: "b7Wq0dTy5RnE", seq: 4 } });
      return [envelope];
    },
    reason: /expected no ack before the cursor has moved/,
  },
  "R7.1": { options: neverPings, reason: /expected another connection in place of a dead one/ },
  "R7.2": {
    sends(frame, { close, memory }) {
      if (frame.action !== "ping") return [frame];
      memory.pongs ??= 0;
      setTimeout(() => memory.pongs === 0 && close(), 500);
      return [frame];
    },
    reason: /expected that the connection stays/,
  },
  "R7.3": {
    receives(envelope, { close }) {
      if (envelope.message === "Too Many Requests") close();
      return [envelope];
    },
    reason: /expected that the connection stays/,
  },
  "R7.4": {
    receives: (envelope) => [envelope.message === "Too Many Requests" ? { type: "pong" } : envelope],
    reason: /expected the next ping after 1\.3 times the idle time/,
  },
  "R8.1": {
    ignoresEnd: (_, code) => code === 1000,
    options: neverPings,
    reason: /expected another connection after the close code 1000/,
  },
  "R8.2": { ignoresEnd: (_, code) => code === 1006, options: neverPings, reason: /expected another connection/ },
  "R8.3": { ignoresEnd: (hasOpened) => !hasOpened, reason: /expected a connection/ },
  "R8.4": { options: { backoffBaseMs: 1, backoffCapMs: 1 }, reason: /expected at most 12 attempts in 8 s/ },
  "R8.5": { options: { maxConnectionMs: 7_200_000 }, reason: /expected a second connection/ },
  "R9.1": { returns: true, reason: /expected no other connection/ },
  "R9.2": { sends: drops("ack"), reason: /expected an ack with .*"seq":3.*; got none/ },
  E1: { ...resumesAtOnce(({ code }) => code === "unavailable"), reason: /expected pauses between resumes that fail/ },
  E2: {
    ...resumesAtOnce(({ message }) => message === "Too Many Requests"),
    reason: /expected pauses between resumes that fail/,
  },
  E3: {
    receives: (envelope) => (envelope.message === "Internal server error" ? [] : [envelope]),
    options: { resumeTimeoutMs: NEVER_MS },
    reason: /expected another resume/,
  },
  E4: {
    receives: (envelope) => (envelope.code === "no-session" ? [] : [envelope]),
    reason: /expected another connection/,
  },
  E5: {
    receives(envelope, { send }) {
      if (envelope.code === "bad-request") send({ action: "resume", cursor: { epoch: "Zk3vQ9x1LmPq", seq: 2 } });
      return [envelope];
    },
    reason: /expected no resume after bad-request/,
  },
  S1: {
    receives: ({ first, ...envelope }) => [
      envelope.type === "message" || first === undefined ? envelope : { ...envelope, first },
    ],
    reason: /expected the text "Hello, " of a stream/,
  },
  S2: {
    receives: (envelope) => (envelope.type === "message" && envelope.first === 3 ? [] : [envelope]),
    reason: /expected the text "Hello, 🌍" of a stream/,
  },
  S3: {
    silent: (line) => line.type === "stream" && !("atOnce" in line),
    receives(envelope, { print }) {
      if (envelope.type !== "message") return [envelope];
      const body = JSON.parse(String(envelope.body).replace(/^m.*/, "{}")) as Frame;
      if (body.offset !== undefined) print({ ...body, type: "stream", atOnce: true });
      return [envelope];
    },
    reason: /expected the stream's piece at 0; got the one at 7/,
  },
  S4: {
    // It has handled 4 by then.
    sends: (frame) => [cursorOf(frame) ? { ...frame, cursor: { ...cursorOf(frame), seq: 4 } } : frame],
    reason: /expected a resume with the cursor .*"seq":2.*; got .*"seq":4/,
  },
};

/** A WebSocket class that is wrong in the way of the fault. */
export function faultySocket(Socket: typeof WebSocket, fault: Partial<Fault>, print: (line: Frame) => void): unknown {
  const memory: Record<string, number> = {};
  return class {
    onopen: (() => void) | null = null;
    onmessage: ((event: { data: string }) => void) | null = null;
    onclose: ((event: { code: number; reason: string }) => void) | null = null;
    onerror: ((event: { message: string }) => void) | null = null;
    private readonly inner: WebSocket;
    private hasOpened = false;

    constructor(url: string, protocols: string[]) {
      this.inner = new Socket(fault.url?.(url) ?? url, fault.protocols?.(protocols) ?? protocols, fault.socketOptions);
      const wire: Wire = {
        send: (frame) => this.inner.send(JSON.stringify(frame)),
        close: () => this.inner.close(1000),
        print,
        memory,
      };
      this.inner.onopen = () => {
        this.hasOpened = true;
        fault.opened?.(wire);
        this.onopen?.();
      };
      this.inner.onmessage = ({ data }) => this.receive(data as string, wire);
      this.inner.onclose = ({ code, reason }) => {
        if (!fault.ignoresEnd?.(this.hasOpened, code)) this.onclose?.({ code, reason });
      };
      this.inner.onerror = ({ message }) => {
        if (!fault.ignoresEnd?.(this.hasOpened, 1006)) this.onerror?.({ message });
      };
      this.wire = wire;
    }

    private readonly wire: Wire;

    get protocol(): string {
      return this.inner.protocol;
    }

    send(text: string): void {
      const frame = JSON.parse(text) as Frame;
      for (const each of fault.sends?.(frame, this.wire) ?? [frame]) this.inner.send(JSON.stringify(each));
    }

    close(code?: number): void {
      this.inner.close(code);
    }

    private receive(given: string, wire: Wire): void {
      const text = fault.reads?.(given) ?? given;
      if (!fault.receives) return this.onmessage?.({ data: text });
      const content = JSON.parse(text) as Frame | Frame[];
      const envelopes = [content].flat().flatMap((envelope) => fault.receives?.(envelope, wire) ?? [envelope]);
      this.onmessage?.({ data: JSON.stringify(envelopes) });
    }
  };
}
