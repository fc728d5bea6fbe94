import { AbstractChat, type ChatState, type UIMessage } from "ai";
import { RelayTransport } from "./relayTransport";

const element = <T extends HTMLElement>(selector: string) => document.querySelector(selector) as T;
const chatId = new URLSearchParams(location.search).get("chat") ?? "7";

/** The state of a chat, drawn after each change: what a framework's `useChat` does. */
function drawnState(messages: UIMessage[]): ChatState<UIMessage> {
  const state: ChatState<UIMessage> = {
    status: "ready",
    error: undefined,
    messages,
    pushMessage(message) {
      this.messages = [...this.messages, message];
    },
    popMessage() {
      this.messages = this.messages.slice(0, -1);
    },
    replaceMessage(index, message) {
      this.messages = this.messages.with(index, message);
    },
    snapshot: (value) => structuredClone(value),
  };
  draw(state);
  return new Proxy(state, {
    set(target, key, value) {
      const isSet = Reflect.set(target, key, value);
      draw(target);
      return isSet;
    },
  });
}

function draw({ status, error, messages }: ChatState<UIMessage>): void {
  const items = messages.map(({ role, parts }) => {
    const item = document.createElement("li");
    item.className = role;
    item.textContent = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    return item;
  });
  element("ol").replaceChildren(...items);
  element("#status").textContent = error ? error.message : status;
  element("#status").dataset.status = status;
  element("#stop").hidden = status !== "streaming" && status !== "submitted";
}

class PageChat extends AbstractChat<UIMessage> {}

const { websocketUrl, messages, answerId } = await (await fetch(`/chat?id=${encodeURIComponent(chatId)}`)).json();
const chat = new PageChat({
  id: chatId,
  state: drawnState(messages),
  transport: new RelayTransport({
    websocketUrl,
    chatId,
    answerId,
    token: async () => (await fetch("/relay-token")).text(),
    onStateChange: (state) => (element("#relay").dataset.state = element("#relay").textContent = state),
  }),
});

element<HTMLFormElement>("form").onsubmit = (event) => {
  event.preventDefault();
  const text = element<HTMLInputElement>("input");
  void chat.sendMessage({ text: text.value });
  text.value = "";
};
element("#stop").onclick = () => void chat.stop();
// The answer that was running when the page was loaded, if there is one.
await chat.resumeStream();
