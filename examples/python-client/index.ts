import * as pulumi from "@pulumi/pulumi";
import { type AuthArgs, WebsocketRelay } from "pulumi-websocket-relay";

const config = new pulumi.Config();

const relay = new WebsocketRelay("relay", {
  auth: config.requireObject<AuthArgs>("auth"),
  allowedOrigins: config.getObject<string[]>("allowedOrigins"), // here for the local run's page
  delivery: "replay",
  connections: config.require<"newest" | "all">("connections"),
  receipts: true, // clients then acknowledge soon
  connectionIndex: false, // a new relay: no connections of release 0.1.0
});

export const { websocketUrl, topicArn, addresses } = relay;
