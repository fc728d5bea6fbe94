import type { StateDetail } from "../../client";
import type { TraceEvent } from "../trace/traceEvent";
import * as control from "./controlServer";
import { Diagram } from "./diagram";
import { isHeartbeat } from "./diagramLayout";
import { element, enable, input, say } from "./elements";
import {
  type Cut,
  cutInWords,
  cutTexts,
  deliveryTexts,
  receivedInWords,
  type ShownState,
  stateHelp,
  stateLabels,
} from "./inWords";
import { MessageList } from "./messageList";
import { type OwnClient, OwnConnections } from "./ownConnections";
import { RawPanel } from "./rawPanel";
import { type Addressee, Session } from "./session";

// The page that `npm start` serves: the client library in a browser, a backend's form, and what happens in between.

const list = new MessageList(() => sayResults());
const own = new OwnConnections();
const diagram = new Diagram(element("diagram"), own);
const raw = new RawPanel(own, (id) => claim(id, "raw client"));
let delivery: control.Relay["delivery"] = "retry";
let session: Session | undefined;
let state: ShownState = "closed";
/** The last one, with what was counted until then. */
let cut: (Cut & { countedBefore: typeof list.counts }) | undefined;
let publishedBefore: typeof list.counts | undefined;

const addressee = (): Addressee => ({
  user: input("user").value,
  context: input("context").value,
  contextId: input("context-id").value,
});

const heartbeatMs = (): number => Number(input("heartbeat").value) * 1000;

function show(next: ShownState, detail: Partial<StateDetail> = {}): void {
  state = next;
  say("state", stateLabels[state]);
  element("state").dataset.state = state;
  sayResult("state-help", stateHelp(state, detail));
  element("state-help").hidden = state === "superseded";
  element("superseded").hidden = state !== "superseded";
  enable("disconnect", state !== "closed" && state !== "superseded");
  if (cut && state === "waiting") cut.noticed ??= { atMs: Date.now(), reason: detail.reason };
  if (cut?.noticed && state === "connected") cut.connectedAtMs ??= Date.now();
  if (state === "closed") cut = undefined;
  enableCuts();
}

function enableCuts(): void {
  const canCut = state === "connected" && session?.connectionId !== undefined;
  for (const id of ["half-open", "drop", "lose-disconnect"]) enable(id, canCut);
  sayResults();
}

/** Shows the results of the last publication and the last cut, next to their buttons. */
function sayResults(): void {
  const since = ({ shown, lost, replayed }: typeof list.counts) => ({
    received: list.counts.shown - shown,
    lost: list.counts.lost - lost,
    replayed: list.counts.replayed - replayed,
  });
  const isConnected = state === "connected" || state === "half-open";
  if (publishedBefore) say("since", receivedInWords({ ...since(publishedBefore), isConnected }, delivery));
  if (cut) sayResult("cut-result", cutInWords({ ...cut, ...since(cut.countedBefore) }, delivery));
  else
    sayResult("cut-result", isConnected ? "Connected: choose how it fails." : "No connection to cut: connect first.");
}

function know(relay: control.Relay): void {
  ({ delivery } = relay);
  say("delivery", deliveryTexts[delivery]);
  document.body.dataset.delivery = delivery;
}

async function connect(): Promise<void> {
  const relay = await control.relay();
  // It may not have been ready when the page was loaded.
  know(relay);
  session?.close();
  session = new Session(relay, addressee(), heartbeatMs(), list, {
    onState: show,
    onConnection: (id) => {
      say("connection", id ?? "none");
      if (id !== undefined) claim(id, "client");
      enableCuts();
    },
    onCursor: (text) => say("cursor", text),
  });
  session.connect();
}

function claim(connectionId: string, client: OwnClient): void {
  own.add(connectionId, client);
  diagram.claim(connectionId);
}

async function connectRaw(): Promise<void> {
  if (!element<HTMLFormElement>("connect-form").reportValidity()) return;
  const relay = await control.relay();
  know(relay);
  raw.connect(relay, addressee(), heartbeatMs());
}

async function publish(count: number): Promise<void> {
  const text = input("message").value;
  const messageId = input("message-id").value || undefined;
  publishedBefore = { ...list.counts };
  for (let number = 1; number <= count; number += 1) {
    const message = count === 1 ? text : `${text} (${number} of ${count})`;
    await control.publish({ ...addressee(), message, messageId });
    if (number === count || number % 20 === 0) sayResult("published", `Published ${number} of ${count}.`);
  }
  sayResults();
}

async function cutNetwork(how: Cut["how"]): Promise<void> {
  const id = session?.connectionId;
  if (id === undefined) return;
  if (how === "drop, $disconnect lost") await control.loseNextDisconnect();
  // The client may notice before the control server has answered.
  cut = { how, atMs: Date.now(), lost: 0, replayed: 0, countedBefore: { ...list.counts } };
  try {
    await control.cut(id, how === "half-open" ? "half-open" : "drop");
  } catch (error) {
    cut = undefined;
    throw error;
  }
  list.notice(`Cut: ${cutTexts[how]}`);
  sayResults();
}

function take(event: TraceEvent): void {
  const isCurrent = event.connectionId === session?.connectionId;
  if (event.failure === "half-open" && state === "connected" && isCurrent) show("half-open");
  if (own.hasLostMessage(event, "client") && delivery === "retry") {
    list.count("lost");
    list.notice("Lost: a message that the gateway accepted for the half-open connection", "bad");
  }
}

function sayResult(id: string, text: string, kind = ""): void {
  say(id, text);
  element(id).dataset.kind = kind;
}

/** Runs a control's action. A failure is shown next to the control, and in the list of events. */
function on(id: string, event: "click" | "submit", resultId: string, act: () => unknown): void {
  element(id).addEventListener(event, (happened) => {
    happened.preventDefault();
    if (element(id).getAttribute("aria-disabled") === "true") return;
    void Promise.resolve()
      .then(act)
      .catch((error: Error) => {
        sayResult(resultId, `Error: ${error.message}`, "bad");
        list.notice(`Error: ${error.message}`, "bad");
      });
  });
}

on("connect-form", "submit", "state-help", connect);
on("disconnect", "click", "state-help", () => session?.close());
on("take-back", "click", "state-help", () => session?.connect());
on("publish-form", "submit", "published", () => publish(1));
on("burst", "click", "published", () => {
  if (input("count").reportValidity() && input("message").reportValidity())
    return publish(Number(input("count").value));
});
on("half-open", "click", "cut-result", () => cutNetwork("half-open"));
on("drop", "click", "cut-result", () => cutNetwork("drop"));
on("lose-disconnect", "click", "cut-result", () => cutNetwork("drop, $disconnect lost"));
on("raw-connect", "click", "raw-help", connectRaw);
on("raw-disconnect", "click", "raw-help", () => raw.disconnect());
on("raw-half-open", "click", "raw-help", () => raw.cut("half-open"));
on("raw-drop", "click", "raw-help", () => raw.cut("drop"));
on("clear", "click", "stream", () => diagram.clear());

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
events.onerror = () => say("stream", "The local run does not answer. It may have stopped.");
events.onmessage = ({ data }: MessageEvent<string>) => {
  const event = JSON.parse(data) as TraceEvent;
  if (input("heartbeats").checked || !isHeartbeat(event)) diagram.add(event);
  take(event);
  raw.take(event);
};
events.addEventListener("skipped", ({ data }: MessageEvent<string>) => {
  list.notice(`${data} steps are neither drawn nor counted: this page was too slow, or was opened too late`);
});

control.relay().then(
  async (relay) => {
    know(relay);
    if (given.has("connect")) await connect();
  },
  (error: Error) => say("delivery", error.message),
);
