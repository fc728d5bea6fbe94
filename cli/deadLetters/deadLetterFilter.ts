import { stableReason } from "../../handlers/messages/reasons";
import type { DeadLetterSummary } from "./deadLetter";

/** Selects the dead letters that match every given filter. */
export interface DeadLetterFilter {
  user?: string;
  context?: string;
  contextId?: string;
  /** The stable first part of a reason, or a reason in full; `none` for dead letters without one. */
  reason?: string;
  /** Any of a dead letter's IDs: the publisher's, the original message's, or its own. */
  messageId?: string;
}

export const NO_REASON = "none";

export function matches(summary: DeadLetterSummary, filter: DeadLetterFilter): boolean {
  const { user, context, contextId, reason, messageId } = filter;
  return (
    (user === undefined || summary.user === user) &&
    (context === undefined || summary.context === context) &&
    (contextId === undefined || summary.contextId === contextId) &&
    (reason === undefined || matchesReason(summary.reason ?? NO_REASON, reason)) &&
    (messageId === undefined || [summary.messageId, summary.originalMessageId, summary.id].includes(messageId))
  );
}

/** The filter in words, for questions and reports. */
export function inWords(filter: DeadLetterFilter): string {
  const parts = Object.entries(filter).filter(([, value]) => value !== undefined);
  return parts.length === 0
    ? "every dead letter"
    : `dead letters of ${parts.map(([key, value]) => `${key} ${value}`).join(", ")}`;
}

function matchesReason(reason: string, wanted: string): boolean {
  return reason === wanted || stableReason(reason) === wanted;
}
