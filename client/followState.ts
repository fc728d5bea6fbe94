import type { Cursor } from "../protocol";
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, fullJitterMs } from "./backoff";
import { type Clock, surroundings, systemClock } from "./clock";
import type { CursorStore } from "./cursorStore";
import type { ExpiredMessage, RelayMessage } from "./messages";
import type { RelayClientOptions } from "./options";
import { RelayClientError } from "./relayClientError";

/** A state, and how new it is. */
export interface Snapshot<State, Version> {
  state: State;
  /** The version of the state; if its parts have versions of their own, a function that returns the version of a part, or undefined if it has none. */
  version: Version | ((part: string) => Version | undefined);
  /**
   * The session's position (`RelayBackend.position`). The backend must read it before it reads the state: then each update that
   * the state lacks comes after it. Null or absent if the session has never had a message.
   */
  position?: Cursor | null;
}

export interface FollowStateOptions<State, Version = number> {
  /** Loads the state from your backend: at the start, after each gap, and if an update cannot be applied. If it fails, it is called again after a pause. */
  getState(): Snapshot<State, Version> | PromiseLike<Snapshot<State, Version>>;
  /** Replaces the application's state. If it fails, the state is loaded again. */
  applyState(state: State): void | PromiseLike<void>;
  /** Applies an update that is newer than what the application has. If it fails, the error is reported, and the state is loaded again. */
  applyUpdate(message: RelayMessage, version: Version): void | PromiseLike<void>;
  /** The version that the update leads to. Undefined if the message is not an update: it is always passed on to `onOther`. */
  versionOf(message: RelayMessage): Version | undefined;
  /** The part of the state that the message updates: updates of different parts are independent. @default one part: all of the state */
  partOf?(message: RelayMessage): string;
  /** Compares versions as `Array.sort` does: negative if `a` is older than `b`, 0 if they are equal. @default numbers and strings, by `<` */
  compare?(a: Version, b: Version): number;
  /** Called with messages that are not updates. @default they are skipped */
  onOther?(message: RelayMessage): void | PromiseLike<void>;
  /** Called with each error of `getState` and `applyState`, with the code `state`. @default `console.error` */
  onError?(error: RelayClientError): void;
  /** Stops the attempts to load the state once it is aborted. Abort it when you close the client. @default they never stop */
  signal?: { readonly aborted: boolean };
  /** The longest pause after the first failure to load the state, in ms; it doubles with each further failure. @default 1,000 */
  backoffBaseMs?: number;
  /** The upper limit of these pauses, in ms. @default 60,000 */
  backoffCapMs?: number;
  /** The clock, for tests. @default the system's clock */
  clock?: Clock;
  /** Returns a number from 0 to below 1, for tests. @default `Math.random` */
  random?: () => number;
}

/**
 * Keeps a state up to date that a backend stores and publishes updates of: loads it, then applies the updates that are newer,
 * from exactly there. It loads the state again when updates are missing. Messages wait meanwhile, and none is applied while no
 * state is loaded.
 *
 * @returns options to spread into those of `RelayClient`, for a relay in replay mode: `{ url, context, contextId, ...followState(…) }`
 */
export function followState<State, Version = number>(
  options: FollowStateOptions<State, Version>,
): Required<Pick<RelayClientOptions, "cursorStore" | "onMessage" | "onGap" | "onExpired">> {
  const { getState, applyState, applyUpdate, versionOf, partOf = () => "", onOther, onError, signal } = options;
  const { clock = systemClock, random = Math.random, compare = byDefault } = options;
  const { backoffBaseMs = BACKOFF_BASE_MS, backoffCapMs = BACKOFF_CAP_MS } = options;
  /** The versions of the parts that were updated since the state was loaded. */
  const updated = new Map<string, Version>();
  let version: Snapshot<State, Version>["version"];
  let position: Cursor | undefined;

  async function load(): Promise<void> {
    for (let failures = 0; !signal?.aborted; failures++) {
      try {
        const snapshot = await getState();
        await applyState(snapshot.state);
        version = snapshot.version;
        position = snapshot.position ?? undefined;
        updated.clear();
        return;
      } catch (error) {
        report(new RelayClientError("state", "the state could not be loaded; it is tried again after a pause", error));
      }
      const pauseMs = fullJitterMs(failures, random, backoffBaseMs, backoffCapMs);
      await new Promise<void>((resolve) => clock.setTimeout(resolve, pauseMs));
    }
    // The client is closed. Without a state, nothing may be applied.
    await new Promise(() => undefined);
  }

  function report(error: RelayClientError): void {
    if (onError) onError(error);
    else surroundings.console?.error(error);
  }

  /** Whether the loaded state has all updates up to this message. */
  function isCovered({ epoch, seq = Infinity }: Partial<Cursor>): boolean {
    return position !== undefined && position.epoch === epoch && seq <= position.seq;
  }

  const cursorStore: CursorStore = {
    get: async () => {
      await load();
      return position ?? { epoch: "", seq: 0 };
    },
    // A restart loads the state, and its position.
    set: () => undefined,
  };

  return {
    cursorStore,
    onGap: load,
    onExpired: (message: ExpiredMessage) => (isCovered(message) ? undefined : load()),
    onMessage: async (message) => {
      const next = versionOf(message);
      if (next === undefined) return onOther?.(message);
      const part = partOf(message);
      const ofState =
        typeof version === "function" ? (version as (part: string) => Version | undefined)(part) : version;
      const present = updated.get(part) ?? ofState;
      if (present !== undefined && compare(next, present) <= 0) return;
      try {
        await applyUpdate(message, next);
        updated.set(part, next);
      } catch (error) {
        await load();
        throw error;
      }
    },
  };
}

function byDefault<Version>(a: Version, b: Version): number {
  return a < b ? -1 : Number(a > b);
}
