import { setTimeout } from "node:timers/promises";
import pLimit from "p-limit";
import type { UserConnection } from "../connections/connectionItems";
import type { ConnectionLookups } from "../connections/connectionLookups";
import type { ConnectionsClient } from "../connections/connectionsClient";
import type { UserConnections } from "../connections/userConnections";
import { callerIdOf } from "../sessions/sessionKey";
import { MAX_HANDSHAKE_MS } from "../sessions/sessionRow";
import type { SessionStore } from "../sessions/sessionStore";
import type { DisconnectedUser } from "./disconnectedUser";

export interface DisconnectUserDependencies {
  sessions: Pick<SessionStore, "removeConnection">;
  lookups: Pick<ConnectionLookups, "remove">;
  userConnections: Pick<UserConnections, "block" | "listByUser">;
  connections: Pick<ConnectionsClient, "close">;
  /** Epoch milliseconds. @default the clock */
  now?: () => number;
  /** @default real time */
  wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface DisconnectUserOptions {
  /** How long the user's handshakes are refused; 0 sets no block, and leaves an earlier one unchanged. */
  blockSeconds: number;
}

export const MAX_BLOCK_SECONDS = 31_536_000;

const RETRY_MS = 1_000;
const MAX_FAILURES = 3;
const MAX_PARALLEL = 10;

/**
 * Disconnects a user: refuses the user's handshakes for `blockSeconds`, closes all of the user's connections, including
 * superseded ones, and clears the sessions. Takes up to half a minute if a handshake of the user is under way.
 *
 * @throws if `code` or `blockSeconds` is invalid, if the table fails, or if a connection cannot be closed (the others are):
 * call it again to do the rest.
 */
export async function disconnectUser(
  dependencies: DisconnectUserDependencies,
  code: string,
  { blockSeconds }: DisconnectUserOptions,
  signal?: AbortSignal,
): Promise<DisconnectedUser> {
  const { userConnections, now = Date.now } = dependencies;
  const callerId = checkedCallerId(code);
  checkBlockSeconds(blockSeconds);

  // Before the connections are listed: see `admit`.
  const blockedUntil = blockSeconds > 0 ? Math.ceil(now() / 1000) + blockSeconds : undefined;
  if (blockedUntil !== undefined) await userConnections.block(callerId, blockedUntil, signal);
  const { sessions, connections } = await userConnections.listByUser(callerId, signal);
  const results = await pLimit(MAX_PARALLEL).map(connections, (each) => disconnectOne(each, dependencies, signal));

  const failures = results.flatMap(({ failure }) => failure ?? []);
  if (failures.length > 0) {
    const [cause] = failures;
    const message = `${failures.length} of the user's ${connections.length} connections were not closed and cleared`;
    throw new Error(`${message} (${String(cause)}). Fix: disconnect the user again, which does the rest`, { cause });
  }
  return {
    connectionsClosed: results.filter(({ closed }) => closed).length,
    sessionsCleared: sessions.length,
    ...(blockedUntil !== undefined && { blockedUntil }),
  };
}

/** @throws if no user can have that code. */
export function checkedCallerId(code: unknown): string {
  const callerId = typeof code === "string" ? callerIdOf(code) : { reason: `user is of type ${typeof code}` };
  if (callerId.reason === undefined) return callerId.value;
  const allowed = "the code of a user, as connect takes it from the token";
  throw new Error(
    `code: ${callerId.reason}; allowed: ${allowed}. Fix: pass the code that the user's clients connect with`,
  );
}

function checkBlockSeconds(blockSeconds: unknown): void {
  if (Number.isInteger(blockSeconds) && Number(blockSeconds) >= 0 && Number(blockSeconds) <= MAX_BLOCK_SECONDS) return;
  // Quoted, to distinguish the text "1" from the number 1.
  const got = typeof blockSeconds === "string" ? JSON.stringify(blockSeconds) : String(blockSeconds);
  const allowed = `a whole number from 0 to ${MAX_BLOCK_SECONDS}`;
  throw new Error(`blockSeconds: got ${got}; allowed: ${allowed}. Fix: pass whole seconds; 0 sets no block`);
}

async function disconnectOne(
  { callerId, context, connectionId, connectedAt }: UserConnection,
  dependencies: DisconnectUserDependencies,
  signal?: AbortSignal,
): Promise<{ closed?: boolean; failure?: unknown }> {
  try {
    const closed = await closeForGood(connectionId, connectedAt, dependencies, signal);
    await dependencies.lookups.remove(connectionId, signal);
    // The row last: as long as it names the connection, the connection is found again.
    await dependencies.sessions.removeConnection({ callerId, context }, connectionId, signal);
    return { closed };
  } catch (failure) {
    return { failure };
  }
}

/** Whether there was a connection to close. Resolves when it can no longer be open. */
async function closeForGood(
  connectionId: string,
  connectedAt: number,
  { connections, now = Date.now, wait = waitReally }: DisconnectUserDependencies,
  signal?: AbortSignal,
): Promise<boolean> {
  // Even if this clock is behind the gateway's, the handshake began before now.
  const openBy = Math.min(connectedAt, now()) + MAX_HANDSHAKE_MS;
  for (let failures = 0; ;) {
    const askedAt = now();
    try {
      if ((await connections.close(connectionId, signal)) === "closed") return true;
      if (askedAt >= openBy) return false;
    } catch (error) {
      failures += 1;
      if (failures === MAX_FAILURES || signal?.aborted) throw error;
    }
    await wait(RETRY_MS, signal);
  }
}

function waitReally(ms: number, signal?: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, { signal });
}
