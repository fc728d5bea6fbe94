/**
 * AG-UI over a relay's streams: a backend sends the events of a run, a client receives them, over dropped connections and reloads.
 *
 * @module pulumi-websocket-relay/ag-ui
 */

export { TRANSPORT_CAPABILITIES } from "./capabilities";
export { EventError } from "./eventError";
export { type EventReceiver, receiveEvents, type ReceiveEventsOptions, type RunErrorCode } from "./receiveEvents";
export { type EventStream, sendEvents } from "./sendEvents";
