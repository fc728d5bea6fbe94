import { randomUUID } from "node:crypto";
import { publishInput } from "./publication";
import { refuseUnknownKeys, RelayInputError } from "./relayInputError";
import { type SessionAddress, sessionKeyOf } from "./sessionAddress";

/** The session that a stream's text is for, and how the text is published. */
export interface StreamOptions extends SessionAddress {
  /**
   * The stream's ID, by which clients and logs tell it from others: 1 to 100 printable ASCII characters. Never use one twice for
   * a session: a client would take the second text for a copy of the first. @default a random UUID
   */
  streamId?: string;
  /**
   * From this time on, the rest of the stream is not delivered, and publishing to it fails. See `expiresAt` of
   * `publish`. @default it does not expire
   */
  expiresAt?: Date;
  /**
   * The longest time in milliseconds for which text is collected into one message, 0 to 10,000. The first text is published at
   * once, and then the time grows: 25 ms, 50 ms, and so on, up to this. A longer time costs less, and a shorter one shows the
   * text more evenly. 0 publishes whatever there is as soon as the previous request has ended. @default 250
   */
  rollupMs?: number;
  /**
   * Milliseconds without text after which an empty message tells the client that the stream is still open, 1,000 to 3,600,000.
   * Less than half of the client's `streamTimeoutMs`, so that one late message does not end the stream. @default 15000
   */
  keepAliveMs?: number;
  /**
   * How much text may wait to be published, in bytes of UTF-8, before `append` makes its caller wait: 1 to 104,857,600. With 1,
   * each `append` resolves once its text is published. @default 262144
   */
  maxBufferedBytes?: number;
}

/** Options after their checks. */
export interface ResolvedStreamOptions {
  session: SessionAddress;
  streamId: string;
  /** Checked again for each message, since it may pass meanwhile. */
  expiresAt: Date | undefined;
  rollupMs: number;
  keepAliveMs: number;
  maxBufferedBytes: number;
}

const numbers = {
  rollupMs: { byDefault: 250, min: 0, max: 10_000 },
  keepAliveMs: { byDefault: 15_000, min: 1_000, max: 3_600_000 },
  maxBufferedBytes: { byDefault: 262_144, min: 1, max: 104_857_600 },
} as const;

const keys = ["user", "context", "contextId", "streamId", "expiresAt", ...Object.keys(numbers)];

/** @throws RelayInputError */
export function resolveStreamOptions(options: StreamOptions, topicArn: string, now: Date): ResolvedStreamOptions {
  refuseScope(options);
  refuseUnknownKeys("options", options, keys);
  const { user, context, contextId, streamId = randomUUID(), expiresAt } = options;
  const session = { user, context, contextId };
  sessionKeyOf(session);
  if (typeof streamId !== "string" || !/^[ -~]{1,100}$/.test(streamId)) {
    const got = typeof streamId === "string" ? `of ${streamId.length} characters` : `of type ${typeof streamId}`;
    const allowed = "1 to 100 printable ASCII characters";
    const fix = "leave it out for a random UUID, or hash your own ID";
    throw new RelayInputError("streamId", `streamId is ${got}`, allowed, fix);
  }
  // Checks expiresAt.
  publishInput({ ...session, expiresAt, message: "any" }, topicArn, now);
  return {
    session,
    streamId,
    expiresAt,
    rollupMs: numberOf(options, "rollupMs"),
    keepAliveMs: numberOf(options, "keepAliveMs"),
    maxBufferedBytes: numberOf(options, "maxBufferedBytes"),
  };
}

function refuseScope(options: StreamOptions & { scope?: unknown }): void {
  if (options?.scope === undefined) return;
  throw new RelayInputError(
    "scope",
    "scope is set",
    "a stream for one session: a session that is opened in the middle of a stream would only get the rest of it",
    "leave out scope and pass context and contextId, and open a stream for each session",
  );
}

function numberOf(options: StreamOptions, name: keyof typeof numbers): number {
  const { byDefault, min, max } = numbers[name];
  const { [name]: value = byDefault } = options;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const got = typeof value === "number" ? String(value) : `of type ${typeof value}`;
  const fix = `choose one in that range, or leave it out for ${byDefault}`;
  throw new RelayInputError(name, `${name} is ${got}`, `a whole number from ${min} to ${max}`, fix);
}
