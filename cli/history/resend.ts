import type { Entry, History } from "../../handlers/history/history";
import { publishedMessage } from "../../handlers/history/publishedMessage";
import { attributeValuesOf } from "../../handlers/queue/queue";
import type { SessionKey } from "../../handlers/sessions/sessionKey";
import type { RetryQueue } from "../deadLetters/deadLetterQueue";
import { fit } from "../deadLetters/plannedRedrive";
import { type OpenReads, openSessions } from "./openMessages";

/** An open message, and what was done with it. */
export interface Resent {
  messageId: string;
  user?: string;
  context?: string;
  contextId?: string;
  storedAt: string;
  expiresAt: string;
  bytes: number;
  outcome: "resent" | "would-be-resent" | "failed" | "skipped";
  notes: string[];
}

export interface ResendOptions {
  dryRun: boolean;
  now: () => Date;
  signal: AbortSignal;
}

/**
 * Sends each session's open messages to the retry queue, in order, and then acknowledges them, so that another run does not
 * send them again.
 */
export async function resend(
  history: OpenReads & Pick<History, "acknowledge">,
  retryQueue: RetryQueue,
  { dryRun, now, signal }: ResendOptions,
): Promise<Resent[]> {
  const messages: Resent[] = [];
  for await (const { key, entries } of openSessions(history, now, signal)) {
    let sent: Entry | undefined;
    let fault: Error | undefined;
    for (const entry of entries) {
      const { message, summary } = planned(key, entry);
      if (dryRun) messages.push({ ...summary, outcome: "would-be-resent" });
      else if (fault || signal.aborted) {
        messages.push({ ...summary, outcome: "skipped", notes: ["an earlier message of its session was not sent"] });
      } else {
        try {
          await retryQueue.send(message);
          sent = entry;
          messages.push({ ...summary, outcome: "resent" });
        } catch (error) {
          fault = error as Error;
          messages.push({ ...summary, outcome: "failed", notes: [`not sent: ${fault.message}`] });
        }
      }
    }
    if (sent) await history.acknowledge(key, { epoch: sent.epoch, seq: sent.seq });
    if (signal.aborted) break;
  }
  return messages;
}

function planned(key: SessionKey, entry: Entry) {
  const { body, attributes, messageGroupId, messageId } = publishedMessage(key, entry);
  const { fitting, dropped } = fit(attributeValuesOf(attributes));
  const value = (name: string) => attributes[name]?.stringValue;
  const endsAtMs = Math.min(entry.untilMs, entry.expiresAtMs ?? Infinity);
  const notes = dropped.length === 0 ? [] : [`without the attributes ${dropped.join(", ")}: a message has at most ten`];
  return {
    message: { body, attributes: fitting, messageGroupId, deduplicationId: `${entry.epoch}-${entry.seq}` },
    summary: {
      messageId,
      user: value("user"),
      context: value("context"),
      contextId: value("contextId"),
      storedAt: new Date(entry.storedAtMs).toISOString(),
      expiresAt: new Date(endsAtMs).toISOString(),
      bytes: Buffer.byteLength(body),
      notes,
    },
  };
}
