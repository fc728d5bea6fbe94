/**
 * For backends: publish messages and streams, read positions, and disconnect users.
 *
 * @module pulumi-websocket-relay/backend
 */

export type { Cursor } from "../protocol";
export type { DisconnectedUser } from "../handlers/operations/disconnectedUser";
export type {
  ContextPublication,
  Publication,
  PublicationContent,
  SessionPublication,
  UserPublication,
} from "./publication";
export { type PublishResult } from "./publishBatch";
export { type DisconnectUserOptions, RelayBackend, type RelayBackendOptions } from "./relayBackend";
export { RelayInputError } from "./relayInputError";
export type { SessionAddress } from "./sessionAddress";
export type { RelayStream } from "./stream";
export type { StreamOptions } from "./streamOptions";
