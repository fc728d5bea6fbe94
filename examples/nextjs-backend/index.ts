import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { WebsocketRelay } from "pulumi-websocket-relay";

const config = new pulumi.Config();

const relay = new WebsocketRelay("relay", {
  auth: { oidc: { issuer: config.require("issuer"), audience: config.require("audience") } },
  // Where the app is served: its pages pass the token as a subprotocol, which a browser's Origin has to go with.
  allowedOrigins: [config.require("appOrigin")],
  delivery: "replay",
  connectionIndex: false, // a new relay: no connections of release 0.1.0
});

// The existing role that the app's server runs as: it may publish to the topic, and nothing else.
const serverRole = config.get("serverRoleName");
if (serverRole !== undefined) {
  relay.grantPublish(aws.iam.Role.get("server", serverRole));
}

export const { websocketUrl, topicArn, addresses } = relay;
