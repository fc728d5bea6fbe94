import { STREAM_CHUNK_TYPE, type StreamChunk } from "../protocol";
import type { SessionPublication } from "./publication";
import type { PublishResult } from "./publishBatch";
import { RelayInputError } from "./relayInputError";
import type { ResolvedStreamOptions } from "./streamOptions";
import type { Timers } from "./timers";
import { UnsentText } from "./unsentText";

/**
 * Code units of a chunk's text. One takes at most 6 bytes in JSON, and 7 in the envelope around that: whatever the text is, the
 * chunk is within the gateway's 128 KB.
 */
const MAX_CHUNK_LENGTH = 10_000;
/** Chunks that are published at a time: as many as SNS accepts in one request. */
const MAX_CHUNKS = 10;
/** The first window; each further one is twice as long, up to `rollupMs`. */
const FIRST_WINDOW_MS = 25;
/** In a row: an hour by default. A stream that is never closed must not publish for as long as the process runs. */
const MAX_KEEP_ALIVES = 240;
/** Code units of `abort`'s reason. */
const MAX_REASON_LENGTH = 200;

export interface StreamDependencies {
  /** Returns a result for each publication, in their order. Rejects if an input is refused. */
  publish: (publications: SessionPublication[]) => Promise<PublishResult[]>;
  timers: Timers;
}

/** Why the stream cannot continue, and the length of the text that is known to be published. */
interface Failure {
  offset: number;
  error: Error;
}

interface Waiting {
  isReached: () => boolean;
  resolve: () => void;
  reject: (error: Error) => void;
}

/**
 * A text that is published while it is written, such as the answer of a language model. `RelayBackend.stream` opens it.
 *
 * The first text is published at once. Later text is collected for up to `rollupMs`, and published in messages of the form
 * `websocket-relay.stream` (`StreamChunk` of the protocol), one request after the other. The text may have any length and any
 * characters, and no surrogate pair is cut. While there is no text, an empty message every `keepAliveMs` tells the client that
 * the stream is open, up to 240 times in a row. These messages do not keep the process running. If the process ends before
 * `close` or `abort`, the client reports that the stream has timed out.
 *
 * **Errors.** What SNS could not publish is tried again, up to three times, before anything later and with the same `messageId`.
 * If it is still not published, or the SDK has given up on a request, the stream has failed: `append` and `close` reject with an
 * error named `StreamFailed`, whose `cause` is the error of SNS or the SDK. Call `abort`, and publish the text in a new stream. A
 * keep-alive that fails is left out. A promise that is not awaited never ends the process: the next `append` and `close` reject
 * with its error.
 */
export class RelayStream {
  /** The stream's ID: `streamId` of the options. Each of its messages has it. */
  readonly id: string;

  private readonly unsent = new UnsentText();
  private readonly waiting = new Set<Waiting>();
  /** Where the next chunk begins. */
  private offset = 0;
  private chunkCount = 0;
  private publishing: Promise<void> | undefined;
  private publishingBytes = 0;
  private windowMs: number;
  private windowEndsMs = 0;
  private windowTimer: unknown;
  private keepAliveTimer: unknown;
  private keepAlives = 0;

  /** The members of the last chunk; empty until `close` or `abort` is called. */
  private end: Pick<StreamChunk, "end" | "reason"> = {};
  /** Whether the last chunk of `close` is published. */
  private isClosed = false;
  private failure: Failure | undefined;
  private closing: Promise<void> | undefined;
  private aborting: Promise<{ error?: Error }> | undefined;

  /** @internal */
  constructor(
    private readonly options: ResolvedStreamOptions,
    private readonly dependencies: StreamDependencies,
  ) {
    this.id = options.streamId;
    this.windowMs = Math.min(FIRST_WINDOW_MS, options.rollupMs);
    this.next();
  }

  /**
   * Appends text. An empty string changes nothing.
   *
   * @returns a promise that resolves once less than `maxBufferedBytes` wait to be published, usually at once. Await it, so that a
   * fast producer does not fill the memory.
   * @throws RelayInputError if `text` is not a string: the stream has then failed, since text may be missing. `StreamFailed` if
   * the stream has failed before. `StreamEnded` after `close` or `abort`.
   */
  append(text: string): Promise<void> {
    return withoutUnhandledRejection(this.appended(text));
  }

  /**
   * Publishes the rest of the text and the end of the stream, without waiting for the end of a window. Further calls return the
   * same promise.
   *
   * @throws `StreamFailed` if part of the text could not be published. `StreamEnded` after `abort`.
   */
  close(): Promise<void> {
    return (this.closing ??= withoutUnhandledRejection(this.closed()));
  }

  /**
   * Gives up: drops the text that is not published yet, and tells the client why. Further calls return the same promise. After
   * `close`, it does nothing unless `close` fails. After a failure, it tells the client where the text ends.
   *
   * @param reason What the client's application gets: 1 to 200 characters. Do not pass the message of an error that may contain
   * something confidential.
   * @returns `error` if the client could not be told: the client then reports that the stream has timed out. The promise does not
   * reject for that, so that it can be awaited while another error is handled.
   * @throws RelayInputError if `reason` is refused: the stream then continues.
   */
  abort(reason: string): Promise<{ error?: Error }> {
    const problem = reasonProblem(reason);
    if (problem) return withoutUnhandledRejection(Promise.reject(problem));
    return (this.aborting ??= this.aborted(reason));
  }

  private async appended(text: string): Promise<void> {
    this.refuseIfEnded("append");
    if (typeof text !== "string") {
      const got = text === null ? "null" : `of type ${typeof text}`;
      const fix = "pass a string, and leave out what has no text";
      const error = new RelayInputError("text", `text is ${got}`, "a string", fix);
      this.fail({ offset: this.offset, error });
      throw error;
    }
    this.unsent.append(text);
    this.next();
    await this.until(() => !this.isFull());
  }

  private async closed(): Promise<void> {
    this.refuseIfEnded("close");
    this.unsent.complete();
    this.end = { end: "closed" };
    this.next();
    await this.until(() => this.isClosed);
  }

  /** Never rejects. */
  private async aborted(reason: string): Promise<{ error?: Error }> {
    if (this.closing) await this.closing.catch(() => undefined);
    if (this.isClosed) return {};
    this.end = { end: "aborted", reason };
    this.stop();
    await this.publishing;
    const { error } =
      (await this.publish([{ ...this.chunkAt(this.failure?.offset ?? this.offset), ...this.end }])) ?? {};
    return error ? { error } : {};
  }

  /** Publishes what is due, or sets a timer for it. */
  private next(): void {
    if (this.publishing || this.isClosed || this.problem) return;
    const { timers } = this.dependencies;
    const isText = this.unsent.bytes > 0;
    const waitMs = this.isFull() ? 0 : this.windowEndsMs - timers.now();
    const publish = () => void (this.publishing = this.publishNext());
    if (this.end.end !== undefined || (isText && waitMs <= 0)) publish();
    else if (isText) this.windowTimer ??= timers.set(publish, waitMs);
    else if (this.keepAlives < MAX_KEEP_ALIVES) {
      this.keepAliveTimer ??= timers.setUnref(publish, this.options.keepAliveMs);
    }
  }

  /** Publishes text and the end, or else a keep-alive. Never rejects. */
  private async publishNext(): Promise<void> {
    this.stopTimers();
    const startedMs = this.dependencies.timers.now();
    const bytes = this.unsent.bytes;
    const chunks = this.takeChunks();
    this.publishingBytes = bytes - this.unsent.bytes;
    const isKeepAlive = chunks.length === 0;
    const failure = await this.publish(isKeepAlive ? [this.chunkAt(this.offset)] : chunks);
    this.publishing = undefined;
    this.publishingBytes = 0;
    this.keepAlives = isKeepAlive ? this.keepAlives + 1 : 0;
    if (!isKeepAlive) {
      this.windowEndsMs = startedMs + this.windowMs;
      this.windowMs = Math.min(2 * this.windowMs, this.options.rollupMs);
      if (failure) this.fail(this.failureOf(failure));
      else this.isClosed = chunks.at(-1)?.end !== undefined;
    }
    this.settleWaiting();
    this.next();
  }

  private takeChunks(): StreamChunk[] {
    const chunks: StreamChunk[] = [];
    while (this.unsent.bytes > 0 && chunks.length < MAX_CHUNKS) {
      const text = this.unsent.take(MAX_CHUNK_LENGTH);
      chunks.push({ ...this.chunkAt(this.offset), text });
      this.offset += text.length;
    }
    if (this.end.end === undefined || this.unsent.bytes > 0) return chunks;
    const last = chunks.pop() ?? this.chunkAt(this.offset);
    return [...chunks, { ...last, ...this.end }];
  }

  private chunkAt(offset: number): StreamChunk {
    return { type: STREAM_CHUNK_TYPE, id: this.id, offset, text: "" };
  }

  /** Returns the first failure: a chunk that was not published, or may not have been. Never rejects. */
  private async publish(chunks: readonly StreamChunk[]): Promise<Failure | undefined> {
    try {
      const { session, expiresAt } = this.options;
      const publications = chunks.map((chunk) => ({
        ...session,
        expiresAt,
        message: bodyOf(chunk),
        // In replay mode, a chunk that is published twice is stored once.
        messageId: `${this.id}:${++this.chunkCount}`,
      }));
      const results = await this.dependencies.publish(publications);
      for (const [index, { offset }] of chunks.entries()) {
        const { error } = results[index] ?? {};
        if (error) return { offset, error };
      }
      return undefined;
    } catch (error) {
      return { offset: chunks[0]?.offset ?? 0, error: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  private failureOf({ offset, error }: Failure): Failure {
    const text =
      `stream ${this.id}: the text from offset ${offset} on may not have been published (${error.name}: ${error.message}). ` +
      "Fix: call abort, so that the client is told, and publish the text in a new stream";
    return { offset, error: namedError("StreamFailed", text, error) };
  }

  private fail({ offset, error }: Failure): void {
    // Text may be refused while earlier text is being published, and that may fail, too.
    const { offset: earlier = offset, error: first = error } = this.failure ?? {};
    this.failure = { offset: Math.min(offset, earlier), error: first };
    this.stop();
  }

  /** Stops publishing; a request in progress finishes. */
  private stop(): void {
    this.stopTimers();
    this.settleWaiting();
  }

  private stopTimers(): void {
    const { timers } = this.dependencies;
    timers.clear(this.windowTimer);
    timers.clear(this.keepAliveTimer);
    this.windowTimer = undefined;
    this.keepAliveTimer = undefined;
  }

  /** Looks at no other caller: a producer that does not wait may have many. */
  private async until(isReached: () => boolean): Promise<void> {
    const { problem } = this;
    if (problem) throw problem;
    if (isReached()) return;
    await new Promise<void>((resolve, reject) => this.waiting.add({ isReached, resolve, reject }));
  }

  private settleWaiting(): void {
    for (const each of this.waiting) {
      const { problem } = this;
      if (!problem && !each.isReached()) continue;
      this.waiting.delete(each);
      if (problem) each.reject(problem);
      else each.resolve();
    }
  }

  /** Whether `maxBufferedBytes` wait: then `append` waits for a request, and the text does not wait for the end of its window. */
  private isFull(): boolean {
    return this.unsent.bytes + this.publishingBytes >= this.options.maxBufferedBytes;
  }

  /** Why the stream cannot publish further text; undefined if it can. */
  private get problem(): Error | undefined {
    return this.failure?.error ?? (this.end.end === "aborted" ? this.endedError("append") : undefined);
  }

  private refuseIfEnded(method: string): void {
    if (this.failure) throw this.failure.error;
    if (this.end.end !== undefined) throw this.endedError(method);
  }

  private endedError(method: string): Error {
    const ending = this.end.end === "aborted" ? "abort" : "close";
    const text = `${method} of stream ${this.id} after its ${ending}. Fix: open a new stream for more text`;
    return namedError("StreamEnded", text);
  }
}

/** SQS refuses U+FFFE and U+FFFF, too, which JSON.stringify does not escape. */
function bodyOf(chunk: StreamChunk): string {
  return JSON.stringify(chunk).replace(/[\uFFFE\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

/** The reason is not quoted: it may be confidential. */
function reasonProblem(reason: unknown): RelayInputError | undefined {
  if (typeof reason === "string" && reason.length >= 1 && reason.length <= MAX_REASON_LENGTH) return undefined;
  const got = typeof reason === "string" ? `of ${reason.length} characters` : `of type ${typeof reason}`;
  const allowed = `a string of 1 to ${MAX_REASON_LENGTH} characters`;
  return new RelayInputError("reason", `reason is ${got}`, allowed, "pass a short text, such as timed-out");
}

function namedError(name: string, message: string, cause?: Error): Error {
  return Object.assign(new Error(message, cause && { cause }), { name });
}

/** Returns the promise. If the caller does not await it, its error does not end the process. */
function withoutUnhandledRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
