import type { Cursor } from "../../protocol";
import type { Message } from "../messages/message";
import type { Session } from "../sessions/sessionItems";

/** What became of a message, and so what is to be done with it. */
export type Outcome =
  /** The queue is done with it. `session` is the row that it was delivered by, for the session's next message. */
  | { kind: "delivered"; session: Session }
  /** The queue is done with it: it stands in the history, and the client asks for it when it is there. */
  | { kind: "stored"; reason: string }
  /** It can never succeed. */
  | { kind: "undeliverable"; reason: string }
  /** To be tried again later. */
  | { kind: "failed"; reason: string }
  /** Time was up before anything was tried. */
  | { kind: "not-reached"; reason: string };

/** A message, and what became of it. */
export interface Attempted {
  message: Message;
  outcome: Outcome;
  /** Where it stands in its session's sequence; undefined where it has no number. */
  cursor?: Cursor;
}
