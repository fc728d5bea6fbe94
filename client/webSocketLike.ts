/** The part of a WebSocket that the client uses. The global one of browsers, React Native and Node 22 has it, and that of `ws`. */
export interface WebSocketLike {
  readonly protocol: string;
  // `never` accepts the event type of every implementation.
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;
