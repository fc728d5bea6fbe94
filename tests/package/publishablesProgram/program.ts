import { RelayBackend, RelayInputError } from "pulumi-websocket-relay-backend";
import {
  memoryCursorStore,
  RelayClient,
  RelayClientError,
  type RelayClientOptions,
} from "pulumi-websocket-relay-client";
import { MAX_PAYLOAD_BYTES, type Resume, SUBPROTOCOLS } from "pulumi-websocket-relay-client/protocol";

// Compiled for every way in which TypeScript finds modules, and run as an ES module and as CommonJS.
const options: RelayClientOptions = {
  url: "wss://relay.acme.dev/live",
  context: "chat",
  contextId: "7",
  cursorStore: memoryCursorStore(),
  onMessage: ({ body }) => console.log(body),
  // Of a runtime that has none of its own.
  WebSocket: class {} as never,
};
export const frame: Pick<Resume, "action"> = { action: "resume" };
// @ts-expect-error: a topic is needed
export const noTopic = () => new RelayBackend({});

const refusals: unknown[] = [];
try {
  new RelayClient({ ...options, url: "https://relay.acme.dev/live" });
} catch (error) {
  refusals.push(error instanceof RelayClientError && error.code);
}
const backend = new RelayBackend({ topicArn: "arn:aws:sns:eu-west-1:111122223333:chat-topic" });
backend
  .publish({ user: "42", context: "chat", contextId: "7", message: "x".repeat(MAX_PAYLOAD_BYTES + 1) })
  .catch((error: unknown) => refusals.push(error instanceof RelayInputError && error.input))
  .then(() =>
    console.log(JSON.stringify({ state: new RelayClient(options).state, subprotocol: SUBPROTOCOLS.v1, refusals })),
  )
  .catch(console.error);
