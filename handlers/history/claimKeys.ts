import pLimit, { type LimitFunction } from "p-limit";
import type { SessionKey } from "../sessions/sessionKey";
import type { History } from "./history";
import { WORKER_LIFE_MS } from "./retention";

export interface ClaimDependencies {
  history: Pick<History, "claimKey" | "readKeyClaim">;
  /** How long messages are kept. */
  retentionMs: number;
  /** Epoch milliseconds. */
  now: () => number;
  /** Limits the claims of all sessions of an invocation together. @default a limit for this call alone */
  claimLimit?: LimitFunction;
}

/** Half of the SDK's 50 sockets: a request that waits for one for long exceeds its connection timeout. */
export function claimLimitOfAnInvocation(): LimitFunction {
  return pLimit(25);
}

/** A message with an idempotency key. */
export interface KeyedMessage {
  idempotencyKey: string;
  /** The queue's id of the message; of a redriven one, the first id. */
  owner: string;
  /** Whether it has expired: an expired message is not stored, so it claims no key. */
  hasExpired: boolean;
}

/**
 * Claims the messages' idempotency keys, before they are stored: the first message with a key has it for the retention. A
 * message keeps its claim over all attempts, so that it is stored by a later one if this one crashes.
 *
 * @returns the messages whose key another message has, each with that message's queue id.
 */
export async function claimKeys<T extends KeyedMessage>(
  key: SessionKey,
  messages: readonly T[],
  dependencies: ClaimDependencies,
  signal: AbortSignal,
): Promise<Map<T, string>> {
  const byKey = new Map<string, T[]>();
  for (const message of messages) {
    byKey.set(message.idempotencyKey, [...(byKey.get(message.idempotencyKey) ?? []), message]);
  }
  const { claimLimit = claimLimitOfAnInvocation() } = dependencies;
  const others = await claimLimit.map(byKey, async ([idempotencyKey, same]) => {
    const candidate = same.find(({ hasExpired }) => !hasExpired)?.owner;
    const owner = await ownerOf(key, idempotencyKey, candidate, dependencies, signal);
    if (owner === undefined) return [];
    return same.filter((message) => message.owner !== owner).map((message): [T, string] => [message, owner]);
  });
  return new Map(others.flat());
}

/** Who has the key, once `candidate` has claimed it if it was free. */
async function ownerOf(
  key: SessionKey,
  idempotencyKey: string,
  candidate: string | undefined,
  { history, retentionMs, now }: ClaimDependencies,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (;;) {
    // Later than any worker that still acts on a claim, although clocks differ.
    const voidBeforeMs = now() - retentionMs - 2 * WORKER_LIFE_MS;
    if (candidate !== undefined) {
      const claim = { owner: candidate, claimedAtMs: now() };
      if ((await history.claimKey(key, idempotencyKey, claim, voidBeforeMs, signal)) === "claimed") return candidate;
    }
    const claim = await history.readKeyClaim(key, idempotencyKey, signal);
    if (claim && claim.claimedAtMs >= voidBeforeMs) return claim.owner;
    if (candidate === undefined) return undefined;
    // The claim that was in the way has been deleted since.
  }
}
