import { RelayBackend } from "pulumi-websocket-relay/backend";

// Bundled by the same team into one file, which is not to hold what it does not use.
const relay = new RelayBackend({ topicArn: "arn:aws:sns:eu-west-1:111122223333:chat-topic" });
relay
  .publish({ user: "", context: "chat", contextId: "7", message: "hello" })
  .catch((error: unknown) => console.log((error as Error).name));
