import type { RelayState } from "pulumi-websocket-relay-client";
import { useState } from "react";
import type { SignedInUser, SignIn } from "./signIn";
import { useRelay } from "./useRelay";

const descriptions: Record<RelayState, string> = {
  connecting: "Connecting…",
  connected: "Connected",
  waiting: "Connection lost. What arrives meanwhile is shown as soon as it is back.",
  superseded: "This chat is open in another tab or on another device.",
  closed: "Closed",
};

interface AppProps {
  websocketUrl: string;
  signIn: SignIn;
  user: SignedInUser | undefined;
}

export function App({ websocketUrl, signIn, user }: AppProps) {
  const [chatId, setChatId] = useState("7");
  if (!user) return <button onClick={() => void signIn.start()}>Sign in</button>;
  return (
    <main>
      <p>
        Signed in as {user.name} (user <code>{user.id}</code>).{" "}
        <button onClick={() => void signIn.end()}>Sign out</button>
      </p>
      <label>
        Chat{" "}
        <select value={chatId} onChange={(event) => setChatId(event.target.value)}>
          <option>7</option>
          <option>8</option>
        </select>
      </label>
      <Chat websocketUrl={websocketUrl} signIn={signIn} chatId={chatId} />
    </main>
  );
}

function Chat({ websocketUrl, signIn, chatId }: { websocketUrl: string; signIn: SignIn; chatId: string }) {
  const { state, messages, hasGap, error, connect } = useRelay({
    url: websocketUrl,
    context: "chat",
    contextId: chatId,
    token: signIn.token,
  });
  return (
    <>
      <p role="status" data-state={state}>
        {descriptions[state]} {state === "superseded" && <button onClick={connect}>Use it here</button>}
      </p>
      {error && (
        <p role="alert">
          {error.message} {error.code === "token" && <button onClick={() => void signIn.start()}>Sign in again</button>}
        </p>
      )}
      {hasGap && <p>Older messages are not available any more.</p>}
      <ol>
        {messages.map(({ id, body }, index) => (
          <li key={id ?? index}>{body}</li>
        ))}
      </ol>
    </>
  );
}
