import { MAX_PAYLOAD_BYTES, type MessageEnvelope } from "../../protocol";

/** Of an epoch that `append` makes: none has more, and JSON escapes none of them. */
export const EPOCH_CHARACTERS = 12;

/** Whether the gateway would refuse the message's envelope, whatever its number will be: to be known before it has one. */
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
