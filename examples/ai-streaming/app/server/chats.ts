import type { UIMessage, UIMessageChunk } from "ai";
import type { RelayBackend } from "pulumi-websocket-relay-backend";
import type { Model } from "./model.js";

/** What a page loads: the finished messages, and the answer that is on its way, which comes through the relay. */
export interface ChatState {
  messages: UIMessage[];
  /** The stream of that answer. */
  answerId?: string;
}

interface Chat extends ChatState {
  running?: AbortController;
}

/** The chats of the users. In memory, to keep the example small: keep them in your database. */
export class Chats {
  private readonly chats = new Map<string, Chat>();

  constructor(
    private readonly relay: RelayBackend,
    private readonly model: Model,
  ) {}

  state(user: string, chatId: string): ChatState {
    const { messages, answerId } = this.chat(user, chatId);
    return { messages, answerId };
  }

  /** Takes a user's message, and starts to answer it. @returns whether it was taken: not while an answer is running */
  post(user: string, chatId: string, message: UIMessage, answerId: string): boolean {
    const chat = this.chat(user, chatId);
    if (chat.running) return false;
    chat.messages.push(message);
    chat.answerId = answerId;
    chat.running = new AbortController();
    void this.answer(user, chatId, chat, answerId, chat.running.signal);
    return true;
  }

  /** The answer ends where it is. */
  stop(user: string, chatId: string): void {
    this.chat(user, chatId).running?.abort();
  }

  private async answer(user: string, chatId: string, chat: Chat, answerId: string, signal: AbortSignal): Promise<void> {
    const stream = this.relay.stream({ user, context: "chat", contextId: chatId, streamId: answerId });
    let text = "";
    // Each chunk of the AI SDK is a line. The first two go with the first text.
    let lines = linesOf({ type: "start", messageId: answerId }, { type: "text-start", id: "text" });
    try {
      for await (const delta of this.model(textOf(chat.messages.at(-1)), signal)) {
        text += delta;
        await stream.append(lines + linesOf({ type: "text-delta", id: "text", delta }));
        lines = "";
      }
      await stream.append(lines + linesOf({ type: "text-end", id: "text" }, { type: "finish" }));
      store();
      await stream.close();
    } catch (error) {
      store();
      if (!signal.aborted) console.error(error);
      // Also where publishing has failed: the page is told at the latest by its own time-out.
      await stream.abort(signal.aborted ? "stopped" : "the answer failed");
    }

    /** Before the end of the stream: a page that is loaded from now on gets the answer from here. */
    function store(): void {
      if (chat.answerId !== answerId) return;
      if (text !== "") chat.messages.push({ id: answerId, role: "assistant", parts: [{ type: "text", text }] });
      chat.answerId = chat.running = undefined;
    }
  }

  private chat(user: string, chatId: string): Chat {
    const key = JSON.stringify([user, chatId]);
    const chat = this.chats.get(key) ?? { messages: [] };
    this.chats.set(key, chat);
    return chat;
  }
}

function linesOf(...chunks: UIMessageChunk[]): string {
  return chunks.map((chunk) => `${JSON.stringify(chunk)}\n`).join("");
}

function textOf(message: UIMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}
