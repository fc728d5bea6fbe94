import type { DeadLetter } from "../../cli/deadLetters/deadLetter";
import type { DeadLetterQueue, RetryMessage, RetryQueue } from "../../cli/deadLetters/deadLetterQueue";

/** A dead letter as the relay leaves one. */
export function deadLetter(
  id: string,
  given: Partial<DeadLetter> & { values?: Record<string, string> } = {},
): DeadLetter {
  const values = given.values ?? {
    user: "42",
    context: "chat",
    contextId: "7",
    messageId: `own-${id}`,
    reason: "no-session",
    attempts: "10",
    originalMessageId: `original-${id}`,
  };
  return {
    id,
    receiptHandle: "",
    body: `body of ${id}`,
    attributes: attributesOf(values),
    sentAt: new Date("2026-11-25T12:00:00Z"),
    ...given,
  };
}

export function attributesOf(values: Record<string, string>): DeadLetter["attributes"] {
  return Object.fromEntries(
    Object.entries(values).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
  );
}

/** A queue in memory: received dead letters are hidden until they are released or `show` is called. */
export class MemoryLetterQueue implements DeadLetterQueue {
  /** Of a FIFO queue, nothing of a group is received while another of it is hidden. */
  isFifo = false;
  readonly deleted: string[] = [];
  receives = 0;
  /** Called before each receive. */
  meanwhile: () => void = () => undefined;
  failDelete?: Error;
  private readonly hidden = new Set<string>();
  private handles = 0;

  constructor(
    readonly deadLetters: DeadLetter[],
    private readonly counted?: { visible: number; hidden: number },
  ) {}

  get visible(): string[] {
    return this.deadLetters.map(({ id }) => id).filter((id) => !this.hidden.has(id));
  }

  show(id: string): void {
    this.hidden.delete(id);
  }

  count(): Promise<{ visible: number; hidden: number }> {
    return Promise.resolve(this.counted ?? { visible: this.visible.length, hidden: this.hidden.size });
  }

  receive(): Promise<DeadLetter[]> {
    this.receives += 1;
    this.meanwhile();
    const hidden = this.deadLetters.filter(({ id }) => this.hidden.has(id));
    const locked = new Set(this.isFifo ? hidden.map(({ messageGroupId }) => messageGroupId) : []);
    const received = this.deadLetters
      .filter(({ id, messageGroupId }) => !this.hidden.has(id) && !locked.has(messageGroupId))
      .slice(0, 10);
    received.forEach(({ id }) => this.hidden.add(id));
    return Promise.resolve(received.map((each) => ({ ...each, receiptHandle: `${each.id}/${++this.handles}` })));
  }

  release(receiptHandles: readonly string[]): Promise<number> {
    for (const handle of receiptHandles) this.hidden.delete(idOf(handle));
    return Promise.resolve(0);
  }

  delete({ receiptHandle }: DeadLetter): Promise<void> {
    if (this.failDelete) return Promise.reject(this.failDelete);
    const id = idOf(receiptHandle);
    this.deleted.push(id);
    const index = this.deadLetters.findIndex((each) => each.id === id);
    if (index >= 0) this.deadLetters.splice(index, 1);
    return Promise.resolve();
  }
}

export class MemoryRetryQueue implements RetryQueue {
  readonly sent: RetryMessage[] = [];
  fail?: (message: RetryMessage) => Error | undefined;

  send(message: RetryMessage): Promise<void> {
    const error = this.fail?.(message);
    if (error) return Promise.reject(error);
    this.sent.push(message);
    return Promise.resolve();
  }
}

function idOf(receiptHandle: string): string {
  return receiptHandle.split("/")[0] ?? "";
}
