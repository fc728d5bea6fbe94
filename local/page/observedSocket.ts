export interface SocketObserver {
  /** Called when a socket is created. `tag` identifies it in the gateway's list of connections. */
  onMade(tag: string): void;
  /** Called before the client's own listener. */
  onFrame(data: unknown): void;
}

/** A WebSocket class for the client library whose sockets can be told apart, and listened to, from outside. */
export function observedSocket(observer: SocketObserver): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      const tag = crypto.randomUUID();
      const tagged = new URL(url);
      tagged.searchParams.set("tag", tag);
      super(tagged, protocols);
      this.addEventListener("message", ({ data }) => observer.onFrame(data));
      observer.onMade(tag);
    }
  };
}
