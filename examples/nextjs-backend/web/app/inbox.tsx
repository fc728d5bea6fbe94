"use client";

import { RelayClient, type RelayMessage, type RelayState, type Token } from "pulumi-websocket-relay-client";
import { useEffect, useState } from "react";

/** Shows the messages of a chat. The server renders it, too, without the effect. */
export function Inbox({ websocketUrl, chatId }: { websocketUrl: string; chatId: string }) {
  const [state, setState] = useState<RelayState>("closed");
  const [messages, setMessages] = useState<readonly RelayMessage[]>([]);

  useEffect(() => {
    // In the effect: where the server renders, there may be no WebSocket.
    const client = new RelayClient({
      url: websocketUrl,
      context: "chat",
      contextId: chatId,
      token: fetchToken,
      from: "oldest",
      onMessage: (message) => setMessages((shown) => [...shown, message]),
      onStateChange: setState,
    });
    client.connect();
    return () => {
      client.close();
      // The next client begins with the oldest message again.
      setMessages([]);
    };
  }, [websocketUrl, chatId]);

  return (
    <main>
      <p role="status" data-state={state}>
        {state}
      </p>
      <button onClick={() => void requestReply(chatId)}>Ask for a reply</button>
      <ol>
        {messages.map(({ id, body }) => (
          <li key={id}>{body}</li>
        ))}
      </ol>
    </main>
  );
}

async function fetchToken(): Promise<Token> {
  const response = await fetch("/relay-token");
  if (!response.ok) throw new Error(`no token: ${response.status}`);
  return (await response.json()) as Token;
}

async function requestReply(chatId: string): Promise<void> {
  await fetch("/replies", { method: "POST", body: JSON.stringify({ chatId, text: "Your report is ready" }) });
}
