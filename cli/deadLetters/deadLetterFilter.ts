import { stableReason } from "../../handlers/messages/reasons";
import type { LetterSummary } from "./deadLetter";

/** Which letters are meant: those that every given filter matches. */
export interface LetterFilter {
  user?: string;
  context?: string;
  contextId?: string;
  /** The stable first part of a reason, or a reason in full; `none` for letters without one. */
  reason?: string;
  /** Any of a letter's ids: the publisher's, the first message's, its own. */
  messageId?: string;
}

export const NO_REASON = "none";

export function matches(summary: LetterSummary, filter: LetterFilter): boolean {
  const { user, context, contextId, reason, messageId } = filter;
  return (
    (user === undefined || summary.user === user) &&
    (context === undefined || summary.context === context) &&
    (contextId === undefined || summary.contextId === contextId) &&
    (reason === undefined || matchesReason(summary.reason ?? NO_REASON, reason)) &&
    (messageId === undefined || [summary.messageId, summary.originalMessageId, summary.id].includes(messageId))
  );
}

/** The filter in words, for a question and for what is reported. */
export function inWords(filter: LetterFilter): string {
  const parts = Object.entries(filter).filter(([, value]) => value !== undefined);
  return parts.length === 0
    ? "every letter"
    : `letters of ${parts.map(([key, value]) => `${key} ${value}`).join(", ")}`;
}

function matchesReason(reason: string, wanted: string): boolean {
  return reason === wanted || stableReason(reason) === wanted;
}
