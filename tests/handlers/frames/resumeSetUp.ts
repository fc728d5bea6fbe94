import { resume } from "../../../handlers/frames/resume";
import type { MessageEnvelope, Resume } from "../../../protocol";
import { frameOf, frameParts } from "./frameSetUp";

/** `resume` over parts in memory, and what it has posted. */
export function setUp(options?: Parameters<typeof frameParts>[0]) {
  const parts = frameParts(options);
  const handle = resume(parts.dependencies);
  return {
    ...parts,
    ask: (asked: Omit<Resume, "action"> = {}) => handle(...frameOf({ action: "resume", ...asked })),
    send: (frame: object | string | undefined, remainingMs?: number) => handle(...frameOf(frame, remainingMs)),
    /** Of everything that was posted, in order. */
    envelopes: () => parts.posted().flat(),
    seqs: () =>
      parts
        .posted()
        .flat()
        .flatMap((envelope) => (envelope.type === "message" ? [envelope.seq] : [])),
  };
}

export const at = (seq: number, epoch = "e1") => ({ epoch, seq });
export const messageOf = (seq: number): MessageEnvelope => ({
  type: "message",
  epoch: "e1",
  seq,
  id: `m${seq}`,
  body: `body of m${seq}`,
});
export const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
