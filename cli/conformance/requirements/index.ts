import type { Requirement } from "../requirement";
import { acknowledge } from "./acknowledge";
import { frames } from "./frames";
import { handshake } from "./handshake";
import { heartbeat } from "./heartbeat";
import { messages } from "./messages";
import { reconnect } from "./reconnect";
import { resume } from "./resume";
import { streams } from "./streams";

/** In the order of docs/protocol.md. */
export const requirements: readonly Requirement[] = [
  ...handshake,
  ...frames,
  ...resume,
  ...messages,
  ...acknowledge,
  ...heartbeat,
  ...reconnect,
  ...streams,
];
