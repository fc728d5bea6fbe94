import type { SessionKey } from "../sessions/sessionKey";

/** Asks for the messages that a raw client has missed: it has just connected, and cannot ask for them itself. */
export interface FlushRequests {
  /** @throws if the request may not have arrived. */
  send(key: SessionKey, connectionId: string, signal?: AbortSignal): Promise<void>;
}
