import type { Envelope, MessageEnvelope } from "../../protocol";
import type { ConnectionsClient } from "../connections/connectionsClient";
import { expireUnseen, type ExpireUnseenDependencies, type Unseen } from "../history/expireUnseen";
import type { Entry, History, Segment } from "../history/history";
import { mergeChunks, numbersOf } from "../history/mergeChunks";
import { messageEnvelopeOf } from "../history/messageEnvelope";
import { packFrames } from "../history/packFrames";
import { entriesBetween, envelopeBytes, withoutGap } from "../history/recovery";
import { isPastItsOwnExpiry } from "../history/retention";
import { lastSeqOf } from "../history/segment";
import type { LogFields } from "../log";
import { posted } from "./frame";

export interface SendDependencies extends ExpireUnseenDependencies {
  history: Pick<History, "readOn" | "addReported">;
  connections: Pick<ConnectionsClient, "post">;
}

/** A session's messages `first` to `through`, for the connection that asked for them. */
export interface Messages extends Omit<Unseen, "entries"> {
  connectionId: string;
  /** Sent before the messages. */
  before: readonly Envelope[];
  /** The first segments, without a gap; the others are read while these are sent. */
  segments: readonly Segment[];
  first: number;
  through: number;
  fields: LogFields;
}

/** Segments that are read at a time: a response may be many times as large once it is inflated. */
const PAGE = 200;

/** API Gateway meters 32 KB, and splits larger messages: so much arrives, and is shown, before a client has the rest. */
const FIRST_FRAME_BYTES = 30 * 1024;

/**
 * Sends messages in order, until the gateway does not take a frame.
 *
 * @returns how many were sent
 * @throws if the history fails, or no longer has a segment that it had
 */
export async function sendMessages(messages: Messages, dependencies: SendDependencies): Promise<number> {
  const { key, connectionId, before, first, through, fields, signal } = messages;
  const { history } = dependencies;
  let { segments } = messages;
  let next = first;
  for (let sent = 0; ;) {
    const last = segments.at(-1);
    const end = last ? lastSeqOf(last) : through;
    const following = end < through ? history.readOn(key, end + 1, Math.min(PAGE, through - end), signal) : undefined;
    // If a frame is not accepted, this read is not awaited.
    following?.catch(() => undefined);

    const envelopes = mergeChunks(await envelopesOf(entriesBetween(segments, next, through), messages, dependencies));
    for (const frame of next === first ? firstFrames(before, envelopes) : packFrames(envelopes)) {
      if (!(await posted(connectionId, frame.text, fields, dependencies, signal))) return sent;
      sent += frame.envelopes.flatMap((each) => (each.type === "message" ? numbersOf(each) : [])).length;
    }
    if (!following) return sent;
    next = end + 1;
    segments = withoutGap(await following, next);
    if (segments.length === 0)
      throw new Error(`number ${next} is missing from the history, though ${through} was read a moment ago`);
  }
}

/** The first of them is short. */
function firstFrames(before: readonly Envelope[], messages: readonly MessageEnvelope[]) {
  let [bytes, count] = [0, 0];
  for (const envelope of messages) {
    bytes += envelopeBytes(envelope);
    if (count > 0 && bytes > FIRST_FRAME_BYTES) break;
    count += 1;
  }
  return [...packFrames<Envelope>([...before, ...messages.slice(0, count)]), ...packFrames(messages.slice(count))];
}

async function envelopesOf(
  entries: readonly Entry[],
  { key, done, presentEpoch, signal }: Omit<Unseen, "entries">,
  dependencies: SendDependencies,
): Promise<MessageEnvelope[]> {
  const nowMs = dependencies.now();
  const late = entries.filter((entry) => isPastItsOwnExpiry(entry, nowMs));
  // Before they are sent: the client acknowledges them like any other, and they would never be reported.
  await expireUnseen({ key, done, presentEpoch, entries: late, signal }, dependencies);
  // A client knows one epoch at a time. Numbers go on across epochs, so the present one names earlier numbers as well.
  return entries.map((entry) => messageEnvelopeOf({ ...entry, epoch: presentEpoch ?? entry.epoch }, nowMs));
}
