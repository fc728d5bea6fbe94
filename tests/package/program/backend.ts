import { RelayBackend, RelayInputError } from "pulumi-websocket-relay/backend";
import { MAX_PAYLOAD_BYTES } from "pulumi-websocket-relay/protocol";

// A backend of the same team. It prints why the relay could never deliver what it wants to publish.
const backend = new RelayBackend({ topicArn: "arn:aws:sns:eu-west-1:111122223333:chat-topic" });
const message = "x".repeat(MAX_PAYLOAD_BYTES + 1);

backend.publish({ user: "42", context: "chat", contextId: "7", message }).catch((error: unknown) => {
  const isPulumiLoaded = Object.keys(require.cache).some((file) => file.includes("node_modules/@pulumi/"));
  console.log(JSON.stringify({ refused: error instanceof RelayInputError, isPulumiLoaded }));
});
