import { RelayBackend } from "pulumi-websocket-relay-backend";

// Publishes to, and disconnects from, what AWS_ENDPOINT_URL names.
const relay = new RelayBackend({
  topicArn: "arn:aws:sns:eu-west-1:111122223333:chat-topic",
  tableName: "chat-table",
  managementEndpoint: process.env.AWS_ENDPOINT_URL,
});
relay
  .publish({ user: "42", context: "chat", contextId: "7", message: "hello", messageId: "m1" })
  .then(async ({ messageId }) => {
    const { connectionsClosed } = await relay.disconnectUser("42", { blockSeconds: 0 });
    console.log(JSON.stringify({ messageId, connectionsClosed }));
  })
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
