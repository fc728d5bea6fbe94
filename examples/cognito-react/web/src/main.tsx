import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { loadSettings } from "./settings";
import { SignIn } from "./signIn";

const root = createRoot(document.getElementById("root") as HTMLElement);

try {
  const settings = await loadSettings();
  const signIn = new SignIn(settings);
  // Before the first render: StrictMode would complete the sign-in twice, and its code works once.
  const user = await signIn.user();
  root.render(
    <StrictMode>
      <App websocketUrl={settings.websocketUrl} signIn={signIn} user={user} />
    </StrictMode>,
  );
} catch (error) {
  root.render(<p role="alert">{String(error)}</p>);
}
