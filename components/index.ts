export { type WebsocketRelayArgs } from "./args";
export { type AuthArgs } from "./authArgs";
export { CallbackFunction } from "./callbackFunction";
export { Gateway } from "./gateway";
export { Publisher } from "./publisher";
export { SessionTable } from "./sessionTable";
export { WebsocketRelay } from "./websocketRelay";
