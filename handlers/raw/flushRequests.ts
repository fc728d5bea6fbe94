import { isObject } from "../isObject";
import type { SessionKey } from "../sessions/sessionKey";

/** Asks for the messages that a raw client has missed: it has just connected, and cannot ask for them itself. */
export interface FlushRequests {
  /** @throws if the request may not have arrived. */
  send(key: SessionKey, connectionId: string, signal?: AbortSignal): Promise<void>;
}

/** A request as the queue has it. */
export interface FlushRequest extends SessionKey {
  connectionId: string;
}

/** The request in a message's body; undefined if the relay did not write it. */
export function parseFlushRequest(body: string): FlushRequest | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!isObject(parsed)) return undefined;
  const { callerId, context, connectionId } = parsed;
  const isRequest = [callerId, context, connectionId].every((each) => typeof each === "string" && each !== "");
  return isRequest ? ({ callerId, context, connectionId } as FlushRequest) : undefined;
}
