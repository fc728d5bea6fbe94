import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AuthArgs, WebsocketRelay } from "pulumi-websocket-relay";

const config = new pulumi.Config();

const relay = new WebsocketRelay("relay", {
  auth: config.requireObject<AuthArgs>("auth"),
  // Where the page is served: it passes the token as a subprotocol, which a browser's Origin has to go with.
  allowedOrigins: config.requireObject<string[]>("allowedOrigins"),
  delivery: "replay", // an answer survives a dropped connection and a reload
  connectionIndex: false, // a new relay: no connections of release 0.1.0
});

// The existing role that the app's server runs as: it may publish to the topic, and nothing else.
const serverRole = config.get("serverRoleName");
if (serverRole !== undefined) {
  relay.grantPublish(aws.iam.Role.get("server", serverRole));
}

export const { websocketUrl, topicArn, addresses } = relay;
