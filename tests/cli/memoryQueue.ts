import type { Letter } from "../../cli/deadLetters/deadLetter";
import type { LetterQueue, RetryMessage, RetryQueue } from "../../cli/deadLetters/deadLetterQueue";

/** A letter as the relay leaves one. */
export function letter(id: string, given: Partial<Letter> & { values?: Record<string, string> } = {}): Letter {
  const values = given.values ?? {
    ...{ user: "42", context: "chat", contextId: "7", messageId: `own-${id}` },
    ...{ reason: "no-session", attempts: "10", originalMessageId: `original-${id}` },
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

export function attributesOf(values: Record<string, string>): Letter["attributes"] {
  return Object.fromEntries(
    Object.entries(values).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
  );
}

/** A queue in memory: what is received is hidden until it is released, or `show` is called. */
export class MemoryLetterQueue implements LetterQueue {
  /** Of a FIFO queue, nothing of a group is received while another of it is hidden. */
  isFifo = false;
  readonly deleted: string[] = [];
  receives = 0;
  /** Called before each receive: what happens meanwhile. */
  meanwhile: () => void = () => undefined;
  failDelete?: Error;
  private readonly hidden = new Set<string>();
  private handles = 0;

  constructor(
    readonly letters: Letter[],
    private readonly counted?: { visible: number; hidden: number },
  ) {}

  get visible(): string[] {
    return this.letters.map(({ id }) => id).filter((id) => !this.hidden.has(id));
  }

  show(id: string): void {
    this.hidden.delete(id);
  }

  count(): Promise<{ visible: number; hidden: number }> {
    return Promise.resolve(this.counted ?? { visible: this.visible.length, hidden: this.hidden.size });
  }

  receive(): Promise<Letter[]> {
    this.receives += 1;
    this.meanwhile();
    const hidden = this.letters.filter(({ id }) => this.hidden.has(id));
    const locked = new Set(this.isFifo ? hidden.map(({ messageGroupId }) => messageGroupId) : []);
    const received = this.letters
      .filter(({ id, messageGroupId }) => !this.hidden.has(id) && !locked.has(messageGroupId))
      .slice(0, 10);
    received.forEach(({ id }) => this.hidden.add(id));
    return Promise.resolve(received.map((each) => ({ ...each, receiptHandle: `${each.id}/${++this.handles}` })));
  }

  release(receiptHandles: readonly string[]): Promise<number> {
    for (const handle of receiptHandles) this.hidden.delete(idOf(handle));
    return Promise.resolve(0);
  }

  delete({ receiptHandle }: Letter): Promise<void> {
    if (this.failDelete) return Promise.reject(this.failDelete);
    const id = idOf(receiptHandle);
    this.deleted.push(id);
    const index = this.letters.findIndex((each) => each.id === id);
    if (index >= 0) this.letters.splice(index, 1);
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
