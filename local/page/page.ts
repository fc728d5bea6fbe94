import type { TraceEvent } from "../traceEvent";
import * as control from "./controlServer";
import { Diagram } from "./diagram";
import { element, input, say } from "./elements";
import { MessageList } from "./messageList";
import { type Addressee, Session } from "./session";

// The page that `npm start` serves: the client library in a browser, a backend's form, and what happens in between.

const list = new MessageList();
const diagram = new Diagram(element("diagram"));
let session: Session | undefined;

const addressee = (): Addressee => ({
  user: input("user").value,
  context: input("context").value,
  contextId: input("context-id").value,
});

async function connect(): Promise<void> {
  const relay = await control.relay();
  session?.close();
  session = new Session(relay, addressee(), Number(input("heartbeat").value) * 1000, list, {
    onState: (state, text) => {
      say("state", text);
      element("state").dataset.state = state;
      element("superseded").hidden = state !== "superseded";
    },
    onConnection: (id) => {
      say("connection", id ?? "none");
      diagram.ownConnection = id === undefined ? "" : `…${id.slice(-5)}`;
    },
    onCursor: (text) => say("cursor", text),
  });
  session.connect();
}

async function publish(count: number): Promise<void> {
  const text = input("message").value;
  const messageId = input("message-id").value || undefined;
  for (let number = 1; number <= count; number += 1) {
    const message = count === 1 ? text : `${text} (${number} of ${count})`;
    await control.publish({ ...addressee(), message, messageId });
    if (number === count || number % 20 === 0) say("published", `Published ${number} of ${count}.`);
  }
}

async function cut(how: "half-open" | "drop", losesDisconnect = false): Promise<void> {
  if (session?.connectionId === undefined) return list.notice("there is no connection to cut: connect first");
  if (losesDisconnect) await control.loseNextDisconnect();
  await control.cut(session.connectionId, how);
  list.notice(how === "half-open" ? "cut: the network is gone, and nobody was told" : "cut: the connection broke");
}

/** Does what a control asks for; what fails is said in words, and nothing is left unhandled. */
function on(id: string, event: "click" | "submit", act: () => unknown): void {
  element(id).addEventListener(event, (happened) => {
    happened.preventDefault();
    void Promise.resolve()
      .then(act)
      .catch((error: Error) => list.notice(`error: ${error.message}`));
  });
}

on("connect-form", "submit", connect);
on("disconnect", "click", () => session?.close());
on("take-back", "click", () => session?.connect());
on("publish-form", "submit", () => publish(1));
on("burst", "click", () => {
  if (input("count").reportValidity() && input("message").reportValidity())
    return publish(Number(input("count").value));
});
on("half-open", "click", () => cut("half-open"));
on("drop", "click", () => cut("drop"));
on("lose-disconnect", "click", () => cut("drop", true));
on("clear", "click", () => diagram.clear());

// Another tab begins as this one is, and connects at once.
const link = element<HTMLAnchorElement>("other-tab");
const keepLink = () => (link.search = new URLSearchParams({ ...addressee(), connect: "" }).toString());
element("connect-form").addEventListener("input", keepLink);
const given = new URLSearchParams(location.search);
for (const [key, id] of [
  ["user", "user"],
  ["context", "context"],
  ["contextId", "context-id"],
] as const) {
  const value = given.get(key);
  if (value !== null) input(id).value = value;
}
keepLink();

const events = new EventSource("/events");
events.onopen = () => say("stream", "");
events.onerror = () => say("stream", "The local run does not answer: it has ended, or the network to it.");
events.onmessage = ({ data }: MessageEvent<string>) => {
  const event = JSON.parse(data) as TraceEvent;
  if (input("heartbeats").checked || !/\bping\b/.test(event.label)) diagram.add(event);
};
events.addEventListener("skipped", ({ data }: MessageEvent<string>) => {
  list.notice(`${data} arrows are not drawn: this page was too slow for them, or came too late`);
});

const inWords = {
  replay: "Delivery by replay: every message has a number, and whoever comes back is sent what was missed.",
  retry:
    "Delivery by retry: messages have no numbers. One that was sent into a half-open connection is lost, and the next ones wait for the back-off. See the difference: npm start -- -c delivery=replay",
};

control.relay().then(
  async ({ delivery }) => {
    say("delivery", inWords[delivery]);
    if (given.has("connect")) await connect();
  },
  (error: Error) => say("delivery", error.message),
);
