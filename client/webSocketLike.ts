/** What the client uses of a WebSocket; the global one of browsers, React Native and Node 22 has it, and so has that of `ws`. */
export interface WebSocketLike {
  readonly protocol: string;
  // `never`: whatever an implementation calls them with.
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;
