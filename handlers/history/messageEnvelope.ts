import { MAX_PAYLOAD_BYTES, type MessageEnvelope } from "../../protocol";
import type { Entry } from "./history";
import { isPastItsOwnExpiry } from "./retention";

/** The entry as a client gets it at that time: without its body if it has expired. */
export function messageEnvelopeOf(entry: Entry, nowMs: number): MessageEnvelope {
  const { epoch, seq, messageId: id, body } = entry;
  const envelope = { type: "message", epoch, seq, id } as const;
  return body === undefined || isPastItsOwnExpiry(entry, nowMs)
    ? { ...envelope, expired: true }
    : { ...envelope, body };
}

/** The length of an epoch that `append` makes. JSON escapes none of its characters. */
export const EPOCH_CHARACTERS = 12;

/** Whether the gateway would refuse the message's envelope, whatever its number: checked before it gets one. */
export function isEnvelopeTooLarge({ messageId, body }: { messageId: string; body: string }): boolean {
  const envelope: MessageEnvelope = {
    type: "message",
    epoch: "e".repeat(EPOCH_CHARACTERS),
    seq: Number.MAX_SAFE_INTEGER,
    id: messageId,
    body,
  };
  return Buffer.byteLength(JSON.stringify(envelope)) > MAX_PAYLOAD_BYTES;
}
