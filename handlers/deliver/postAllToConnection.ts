import {
  type Post,
  postToConnection,
  type PostToConnectionDependencies,
  type Posted,
} from "../connections/postToConnection";
import { errorFields } from "../log";
import { REASONS } from "../messages/reasons";
import type { Session, SessionRow } from "../sessions/sessionItems";
import type { ConnectionOutcome } from "./combineOutcomes";
import { NOT_REACHED } from "./outcome";

/** The posts to one connection. */
export interface PostedToConnection {
  /** In the order of the posts. */
  outcomes: readonly ConnectionOutcome[];
  /** If the connection has ended: at which post, and what `Posted` says of its session's row. */
  ended?: { index: number; row: SessionRow | undefined };
}

/**
 * Posts to one connection, one after the other: if one fails, later ones must not overtake it. Never rejects: a fault of the
 * relay at one connection must not fail the whole batch.
 */
export async function postAllToConnection(
  posts: readonly Post[],
  connection: Session,
  dependencies: PostToConnectionDependencies,
  signal: AbortSignal,
): Promise<PostedToConnection> {
  const outcomes: ConnectionOutcome[] = [];
  for (const [index, post] of posts.entries()) {
    if (signal.aborted) {
      outcomes.push(NOT_REACHED);
      continue;
    }
    const posted = await postSafely(post, connection, dependencies, signal);
    const later = posts.slice(index + 1);
    switch (posted.kind) {
      case "accepted":
        outcomes.push({ kind: "accepted", atMs: dependencies.now() });
        break;
      case "failed": {
        const heldBack = { kind: "failed", reason: `${REASONS.heldBack}: ${posted.reason}` } as const;
        return { outcomes: [...outcomes, posted, ...later.map(() => heldBack)] };
      }
      case "ended": {
        const { kind, reason, row } = posted;
        const ended = { kind, reason };
        return { outcomes: [...outcomes, ended, ...later.map(() => ended)], ended: { index, row } };
      }
      default:
        outcomes.push(posted);
    }
  }
  return { outcomes };
}

async function postSafely(
  post: Post,
  connection: Session,
  dependencies: PostToConnectionDependencies,
  signal: AbortSignal,
): Promise<Posted> {
  try {
    return await postToConnection(post, connection, dependencies, signal);
  } catch (error) {
    const { connectionId } = connection;
    dependencies.log.error("message not handled", { ...post.fields, connectionId, ...errorFields(error) });
    return { kind: "failed", reason: REASONS.internalError };
  }
}
