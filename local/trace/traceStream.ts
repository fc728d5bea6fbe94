import type { Writable } from "node:stream";
import type { Trace } from "./trace";
import type { TraceEvent } from "./traceEvent";

/**
 * A trace as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The last events are kept
 * once, for all readers: one that comes later, or again, begins with them, and one that is slow holds nothing but its place.
 */
export class TraceStream {
  private readonly kept: TraceEvent[] = [];
  /** The number of the first kept event; they count from 0. */
  private first = 0;
  private readonly readers = new Set<Reader>();
  private readonly unsubscribe: () => void;

  constructor(
    trace: Trace,
    private readonly capacity = 1_000,
  ) {
    this.unsubscribe = trace.subscribe((event) => this.take(event));
  }

  /** Writes what there is and what comes to `output`, until that closes; from the event after `lastId`, where one is given. */
  pipeTo(output: Writable, lastId?: number): void {
    // Numbers of an earlier run have no meaning in this one.
    const isKnown = lastId !== undefined && Number.isInteger(lastId) && lastId >= 0 && lastId < this.end;
    const reader: Reader = { output, next: isKnown ? lastId + 1 : this.first, isFull: false };
    this.readers.add(reader);
    output.on("drain", () => {
      reader.isFull = false;
      this.feed(reader);
    });
    // A reader that hangs up loses what it has not read, which is no error.
    output.on("error", () => undefined);
    output.on("close", () => this.readers.delete(reader));
    // Without a byte, a browser would not take it for open.
    output.write(": open\n\n");
    this.feed(reader);
  }

  /** Ends every reader's stream. */
  close(): void {
    this.unsubscribe();
    for (const { output } of this.readers) output.end();
    this.readers.clear();
  }

  private get end(): number {
    return this.first + this.kept.length;
  }

  private take(event: TraceEvent): void {
    this.kept.push(event);
    if (this.kept.length > this.capacity) {
      this.kept.shift();
      this.first += 1;
    }
    for (const reader of this.readers) this.feed(reader);
  }

  private feed(reader: Reader): void {
    if (reader.next < this.first && !reader.isFull) {
      const skipped = this.first - reader.next;
      reader.next = this.first;
      reader.isFull = !reader.output.write(`event: skipped\ndata: ${skipped}\n\n`);
    }
    while (!reader.isFull && reader.next < this.end) {
      const text = `id: ${reader.next}\ndata: ${JSON.stringify(this.kept[reader.next - this.first])}\n\n`;
      reader.next += 1;
      reader.isFull = !reader.output.write(text);
    }
  }
}

interface Reader {
  output: Writable;
  /** The number of the event that it gets next. */
  next: number;
  /** Its buffer is full: nothing more is written until it drains. */
  isFull: boolean;
}
