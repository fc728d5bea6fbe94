import type { ChatTransport, UIMessage, UIMessageChunk } from "ai";
import { RelayClient, type RelayState, type StreamPiece } from "pulumi-websocket-relay-client";

interface Options {
  websocketUrl: string;
  chatId: string;
  /** The stream of the answer that was running when the page was loaded. */
  answerId?: string;
  token(): Promise<string>;
  onStateChange(state: RelayState): void;
}

/** An answer that is being received: each line of its stream is a chunk. */
interface Answer {
  chunks: ReadableStream<UIMessageChunk>;
  controller: ReadableStreamDefaultController<UIMessageChunk>;
  rest: string;
}

/** Sends messages over HTTP, and gets the answers through the relay. */
export class RelayTransport implements ChatTransport<UIMessage> {
  /** The relay passes a stream that has not ended from its beginning again after a reload. */
  readonly resumeStreamIsReplay = true;

  private readonly answers = new Map<string, Answer>();
  private readonly client: RelayClient;

  constructor(private readonly options: Options) {
    const { websocketUrl, chatId, answerId, token, onStateChange } = options;
    // Before the client connects, so that no piece of it is missed.
    if (answerId !== undefined) this.receive(answerId);
    this.client = new RelayClient({
      url: websocketUrl,
      context: "chat",
      contextId: chatId,
      token,
      onMessage: () => undefined,
      onStream: (piece) => this.take(piece),
      onStateChange,
    });
    this.client.connect();
  }

  readonly sendMessages: ChatTransport<UIMessage>["sendMessages"] = async ({ messages, abortSignal }) => {
    const answerId = crypto.randomUUID();
    // Before the request: the first piece may be faster than the response.
    const chunks = this.receive(answerId);
    const response = await this.request("POST", JSON.stringify({ message: messages.at(-1), answerId }));
    if (!response.ok) {
      this.answers.delete(answerId);
      throw new Error(`the server answered ${response.status}`);
    }
    this.stopWith(abortSignal);
    return chunks;
  };

  readonly reconnectToStream: ChatTransport<UIMessage>["reconnectToStream"] = async ({ abortSignal }) => {
    const answer = this.answers.get(this.options.answerId ?? "");
    if (answer) this.stopWith(abortSignal);
    return answer?.chunks ?? null;
  };

  /** Called by the chat when it is disposed of. */
  readonly close = (): void => this.client.close();

  private receive(answerId: string): ReadableStream<UIMessageChunk> {
    let controller!: ReadableStreamDefaultController<UIMessageChunk>;
    const chunks = new ReadableStream<UIMessageChunk>({
      start: (given) => void (controller = given),
      cancel: () => void this.answers.delete(answerId),
    });
    this.answers.set(answerId, { chunks, controller, rest: "" });
    return chunks;
  }

  private take({ id, text, status, reason }: StreamPiece): void {
    const answer = this.answers.get(id);
    // The answer to another page, or one that this page has loaded complete.
    if (!answer) return;
    const lines = (answer.rest + text).split("\n");
    answer.rest = lines.pop() ?? "";
    for (const line of lines) answer.controller.enqueue(JSON.parse(line) as UIMessageChunk);
    if (status === "open") return;
    // After the chunk `abort`, the chat takes what there is for a finished answer.
    if (status === "aborted" && reason === "stopped") answer.controller.enqueue({ type: "abort", reason });
    else if (status !== "closed") answer.controller.enqueue({ type: "error", errorText: "The answer broke off." });
    answer.controller.close();
    this.answers.delete(id);
  }

  /** The server stops the model; it says so at the end of the stream. */
  private stopWith(signal: AbortSignal | undefined): void {
    const stop = () => void this.request("DELETE").catch(console.error);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  }

  private request(method: string, body?: string): Promise<Response> {
    return fetch(`/chat?id=${encodeURIComponent(this.options.chatId)}`, { method, body });
  }
}
