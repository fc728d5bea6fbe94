import type { Cursor, Envelope, MessageEnvelope } from "../../protocol";
import type { ConnectionsClient } from "../connections/connectionsClient";
import { expireUnseen, type ExpireUnseenDependencies } from "../history/expireUnseen";
import type { Entry, History } from "../history/history";
import { messageEnvelopeOf } from "../history/messageEnvelope";
import { packFrames } from "../history/packFrames";
import { type Available, withoutGap } from "../history/recovery";
import { isPastItsOwnExpiry } from "../history/retention";
import type { LogFields } from "../log";
import type { SessionKey } from "../sessions/sessionKey";
import { posted } from "./frame";

export interface SendDependencies extends ExpireUnseenDependencies {
  history: Pick<History, "readAfter" | "strip">;
  connections: Pick<ConnectionsClient, "post">;
}

/** A session's messages up to `through`, for the connection that asked for them. */
export interface Messages {
  key: SessionKey;
  connectionId: string;
  available: Available;
  acknowledged: Cursor | undefined;
  /** Sent before the messages. */
  before: readonly Envelope[];
  /** The first of them; the others are read while these are sent. */
  entries: readonly Entry[];
  through: number;
  fields: LogFields;
  signal: AbortSignal;
}

/**
 * Sends messages in order, until the gateway does not take a frame.
 *
 * @returns how many were sent
 * @throws if the history fails, or no longer has an entry that it had
 */
export async function sendMessages(messages: Messages, dependencies: SendDependencies): Promise<number> {
  const { key, connectionId, available, before, through, fields, signal } = messages;
  const { history } = dependencies;
  let envelopes: Envelope[] = [...before];
  let { entries } = messages;
  for (let sent = 0; ;) {
    envelopes.push(...(await envelopesOf(entries, messages, dependencies)));
    const lastSeq = entries.at(-1)?.seq;
    const next =
      lastSeq !== undefined && lastSeq < through
        ? history.readAfter(key, lastSeq, through - lastSeq, signal)
        : undefined;
    // If a frame is not accepted, this read is not awaited.
    next?.catch(() => undefined);

    for (const frame of packFrames(envelopes)) {
      if (!(await posted(connectionId, frame.text, fields, dependencies, signal))) return sent;
      sent += frame.envelopes.filter(({ type }) => type === "message").length;
    }
    if (!next || lastSeq === undefined) return sent;
    entries = withoutGap(await next, available, lastSeq + 1);
    if (entries.length === 0)
      throw new Error(`number ${lastSeq + 1} is missing from the history, though ${through} was read a moment ago`);
    envelopes = [];
  }
}

async function envelopesOf(
  entries: readonly Entry[],
  { key, acknowledged, signal }: Pick<Messages, "key" | "acknowledged" | "signal">,
  dependencies: SendDependencies,
): Promise<MessageEnvelope[]> {
  const nowMs = dependencies.now();
  const late = entries.filter((entry) => isPastItsOwnExpiry(entry, nowMs));
  // Before they are sent: the client acknowledges them like any other, and they would never be reported.
  await expireUnseen({ key, acknowledged, entries: late, reason: "expires-at", signal }, dependencies);
  return entries.map((entry) => messageEnvelopeOf(entry, nowMs));
}
