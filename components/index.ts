export { type WebsocketRelayArgs } from "./args";
export { type AuthArgs } from "./authArgs";
export type { CallbackFunction } from "./callbackFunction";
export type { Gateway } from "./gateway";
export type { Publisher } from "./publisher";
export type { SessionTable } from "./sessionTable";
export { WebsocketRelay } from "./websocketRelay";
