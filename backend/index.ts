/**
 * For backends: publish messages and disconnect users.
 *
 * @module pulumi-websocket-relay/backend
 */

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
