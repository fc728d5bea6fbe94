import { Duplex } from "node:stream";

/**
 * The network between a client's socket and the gateway, so that it can fail in the two ways a network does:
 * noticed (`cut`) and unnoticed (`lose`). A paused socket would not do for the second: Node goes on reading
 * one until its buffer is full, and sees the client's end or reset.
 */
export class Wire extends Duplex {
  private lost = false;

  constructor(private readonly socket: Duplex) {
    super();
    socket.on("data", (chunk: Buffer) => {
      if (!this.lost && !this.push(chunk)) socket.pause();
    });
    socket.on("end", () => {
      if (this.lost) socket.destroy();
      else this.push(null);
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (!this.lost) this.destroy();
    });
  }

  /** From now on nothing passes in either direction, not even the end of the connection, and neither side is notified. */
  lose(): void {
    this.lost = true;
    this.socket.resume();
  }

  /** Ends the TCP connection without a WebSocket close; both sides notice. */
  cut(): void {
    this.socket.destroy();
    this.destroy();
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.lost) done();
    else this.socket.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.lost) done();
    else this.socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Behind a lost network the client's side stays as it is until the client itself gives up.
    if (!this.lost) this.socket.destroy();
    done(error);
  }
}
