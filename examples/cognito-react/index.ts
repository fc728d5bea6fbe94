import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { WebsocketRelay } from "pulumi-websocket-relay";

const config = new pulumi.Config();

/** The page's origin: Cognito redirects to it after the sign-in, and browsers send it with the handshake. */
const pageOrigin = config.get("pageOrigin") ?? "http://localhost:5173";

const pool = new aws.cognito.UserPool("users", {
  usernameAttributes: ["email"],
  autoVerifiedAttributes: ["email"],
});

// Cognito's own sign-in pages, at https://{prefix}.auth.{region}.amazoncognito.com.
const domain = new aws.cognito.UserPoolDomain("users", {
  userPoolId: pool.id,
  domain: config.require("signInPrefix"),
});

const client = new aws.cognito.UserPoolClient("page", {
  userPoolId: pool.id,
  allowedOauthFlowsUserPoolClient: true,
  allowedOauthFlows: ["code"],
  allowedOauthScopes: ["openid", "email"],
  supportedIdentityProviders: ["COGNITO"],
  callbackUrls: [`${pageOrigin}/`],
  logoutUrls: [`${pageOrigin}/`],
  // A page cannot keep a secret: PKCE protects the code instead.
  generateSecret: false,
});

const relay = new WebsocketRelay("relay", {
  auth: { cognito: { userPoolId: pool.id, clientIds: [client.id] }, endSessionWithToken: true },
  allowedOrigins: [pageOrigin],
  delivery: "replay",
  connectionIndex: false, // a new relay: no connections of release 0.1.0
});

// An existing role of your backend: it may publish to the topic, and nothing else.
const backendRole = config.get("backendRoleName");
if (backendRole !== undefined) {
  relay.grantPublish(aws.iam.Role.get("backend", backendRole));
}

export const { topicArn, addresses } = relay;

/** What the page reads from settings.json. */
export const settings = {
  websocketUrl: relay.websocketUrl,
  authority: pulumi.interpolate`https://${pool.endpoint}`,
  clientId: client.id,
  signOutUrl: pulumi.interpolate`https://${domain.domain}.auth.${aws.getRegionOutput().region}.amazoncognito.com/logout`,
};
