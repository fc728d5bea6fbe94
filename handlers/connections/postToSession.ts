import { REASONS } from "../messages/reasons";
import type { Session, SessionRow } from "../sessions/sessionItems";
import { liveConnections } from "../sessions/sessionRow";
import { type Post, postToConnection, type PostToConnectionDependencies, type Posted } from "./postToConnection";

/** A client may reconnect again and again while one message is delivered: the queue waits for it, a single attempt does not. */
const MAX_CONNECTIONS = 3;

export type PostedToSession =
  | { kind: "delivered"; session: Session }
  | { kind: "absent"; reason: string }
  | Exclude<Posted, { kind: "accepted" | "ended" }>;

/** Posts to the newest connection of a session, following the client if it has reconnected meanwhile. */
export async function postToSession(
  post: Post,
  row: SessionRow | undefined,
  dependencies: PostToConnectionDependencies,
  signal: AbortSignal,
): Promise<PostedToSession> {
  let current = row;
  for (let tried = 1; ; tried++) {
    const [newest] = current ? liveConnections(current) : [];
    if (post.isLate?.()) return { kind: "late", reason: REASONS.expired };
    if (!newest) return { kind: "absent", reason: REASONS.noSession };
    const posted = await postToConnection(post, newest, dependencies, signal);
    if (posted.kind === "accepted") return { kind: "delivered", session: newest };
    if (posted.kind !== "ended") return posted;
    if (tried === MAX_CONNECTIONS) return { kind: "failed", reason: posted.reason };
    if (!posted.row || liveConnections(posted.row).length === 0) return { kind: "absent", reason: posted.reason };
    current = posted.row;
  }
}
