import {
  RelayClient,
  type RelayClientError,
  type RelayMessage,
  type RelayState,
  type TokenProvider,
} from "pulumi-websocket-relay-client";
import { useMemo, useSyncExternalStore } from "react";

/** One session of the relay. */
export interface RelaySession {
  /** The relay's `websocketUrl`. */
  url: string;
  context: string;
  contextId: string;
  /** The same function in every render: another one is another session. */
  token: TokenProvider;
}

export interface RelaySnapshot {
  state: RelayState;
  /** In their order, each once, beginning with the oldest that the relay still has. */
  messages: readonly RelayMessage[];
  /** Whether messages are missing that the relay does not have any more. */
  hasGap: boolean;
  /** What went wrong since the last connection. The client goes on by itself. */
  error?: RelayClientError;
}

/** Connects to a session while the component is mounted, and returns its state and messages. */
export function useRelay({ url, context, contextId, token }: RelaySession): RelaySnapshot & { connect: () => void } {
  const store = useMemo(() => new RelayStore({ url, context, contextId, token }), [url, context, contextId, token]);
  const snapshot = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
  return { ...snapshot, connect: store.connect };
}

/**
 * One client, connected while somebody subscribes. StrictMode subscribes, unsubscribes and subscribes again: the same client
 * then closes and connects again, from its cursor, so that there is one connection and no message is lost or shown twice.
 */
class RelayStore {
  private snapshot: RelaySnapshot = { state: "closed", messages: [], hasGap: false };
  private readonly listeners = new Set<() => void>();
  private client?: RelayClient;

  constructor(private readonly session: RelaySession) {}

  readonly getSnapshot = (): RelaySnapshot => this.snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.connect();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.client?.close();
    };
  };

  /** Takes the session back after `superseded`; does nothing while the client is connected. */
  readonly connect = (): void => {
    // Not in the constructor, which also runs where a server renders: a client needs a WebSocket.
    this.client ??= new RelayClient({
      ...this.session,
      // This page keeps no messages, so it asks for all that the relay still has.
      from: "oldest",
      onMessage: (message) => this.update({ messages: [...this.snapshot.messages, message] }),
      onGap: () => this.update({ hasGap: true }),
      onStateChange: (state) => this.update({ state, ...(state === "connected" && { error: undefined }) }),
      onError: (error) => this.update({ error }),
    });
    this.client.connect();
  };

  private update(change: Partial<RelaySnapshot>): void {
    this.snapshot = { ...this.snapshot, ...change };
    this.listeners.forEach((listener) => listener());
  }
}
