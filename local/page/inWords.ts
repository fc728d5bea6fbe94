import type { RelayState, StateDetail } from "../../client";

// The page's texts about the client's state, a cut and a publication.

export type Delivery = "retry" | "replay";

export const deliveryTexts: Readonly<Record<Delivery, string>> = {
  replay:
    "Replay mode: the relay stores every message with a number before it sends it. A client that comes back gets what it missed.",
  retry:
    "Retry mode: messages have no numbers. A message that the gateway accepts for a half-open connection is lost. To compare, run: npm start -- -c delivery=replay",
};

/** Only the page knows `half-open`: the client still considers itself connected. */
export type ShownState = RelayState | "half-open";

export const stateLabels: Readonly<Record<ShownState, string>> = {
  closed: "Not connected",
  connecting: "Connecting",
  connected: "Connected",
  "half-open": "Half-open",
  waiting: "Waiting to reconnect",
  superseded: "Taken over",
};

/** What a state means, and in `waiting` why and for how long. */
export function stateHelp(state: ShownState, { reason, delayMs }: Partial<StateDetail> = {}): string {
  const next = state === "waiting" && delayMs !== undefined ? ` Next attempt in ${seconds(delayMs)}.` : "";
  return `${help[state]}${next}${state === "waiting" && reason !== undefined ? ` Reason: ${reason}.` : ""}`;
}

const help: Readonly<Record<ShownState, string>> = {
  closed: "Connect to open a WebSocket for this session.",
  connecting: "Waiting for the handshake and the relay's first answer.",
  connected: "Messages for this session arrive over this connection.",
  "half-open": "Nothing gets through. The client notices when a heartbeat gets no answer.",
  waiting: "The client reconnects automatically.",
  superseded: "",
};

export interface Cut {
  how: "half-open" | "drop" | "drop, $disconnect lost";
  atMs: number;
  noticed?: { atMs: number; reason?: string };
  connectedAtMs?: number;
  /** Messages since the cut. */
  lost: number;
  replayed: number;
}

export function cutInWords({ how, atMs, noticed, connectedAtMs, lost, replayed }: Cut, delivery: Delivery): string {
  const said = [cutTexts[how]];
  if (noticed) {
    const reason = noticed.reason === undefined ? "" : ` (${noticed.reason})`;
    said.push(`The client noticed after ${seconds(noticed.atMs - atMs)}${reason}.`);
  }
  if (connectedAtMs !== undefined) said.push(`Connected again after ${seconds(connectedAtMs - atMs)}.`);
  if (delivery === "retry" && lost > 0) said.push(`Lost: ${messages(lost)}.`);
  if (delivery === "replay" && replayed > 0) said.push(`Replayed: ${messages(replayed)}.`);
  return said.join(" ");
}

export const cutTexts: Readonly<Record<Cut["how"], string>> = {
  "half-open": "The network is gone, and neither side was notified.",
  drop: "The connection broke.",
  "drop, $disconnect lost": "The connection broke, and the relay was not notified.",
};

export interface Publication {
  /** Messages since it began. */
  received: number;
  lost: number;
  isConnected: boolean;
}

export function receivedInWords({ received, lost, isConnected }: Publication, delivery: Delivery): string {
  const counted = delivery === "retry" && lost > 0 ? `received ${received}, lost ${lost}` : `received ${received}`;
  return `Since then: ${counted}.${isConnected || received > 0 ? "" : " The client is not connected."}`;
}

function messages(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

/** Local time of day, 24 hours: `16:06:18.412`. */
export function timeOfDay(atMs: number): string {
  const at = new Date(atMs);
  const part = (value: number, digits = 2) => String(value).padStart(digits, "0");
  return `${part(at.getHours())}:${part(at.getMinutes())}:${part(at.getSeconds())}.${part(at.getMilliseconds(), 3)}`;
}
