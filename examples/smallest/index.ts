import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { WebsocketRelay } from "pulumi-websocket-relay";

const config = new pulumi.Config();

const relay = new WebsocketRelay("relay", {
  auth: { oidc: { issuer: config.require("issuer"), audience: config.require("audience") } },
  connectionIndex: false, // a new relay: no connections of release 0.1.0
});

// The role that your backend has already: it may publish then, and nothing else.
const backendRole = config.get("backendRoleName");
if (backendRole !== undefined) {
  relay.grantPublish(aws.iam.Role.get("backend", backendRole));
}

export const { websocketUrl, topicArn, addresses } = relay;
