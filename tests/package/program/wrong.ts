import { WebsocketRelay, type WebsocketRelayArgs } from "pulumi-websocket-relay";
import type { RelayClientOptions } from "pulumi-websocket-relay/client";

// None of this may compile: the compiler complains of a line that is expected to be an error and is none.
const auth = { oidc: { issuer: "https://login.acme.dev", audience: "acme" } };
// @ts-expect-error: who may connect has no default
export const noAuthentication: WebsocketRelayArgs = {};
// @ts-expect-error: there is no argument of that name
export const noSuchArgument: WebsocketRelayArgs = { auth, maxAttempt: 5 };
// @ts-expect-error: a text, where a number is needed
export const noNumber: WebsocketRelayArgs = { auth, maxAttempts: "5" };
// @ts-expect-error: clientIds is missing
export const noClients: WebsocketRelayArgs = { auth: { cognito: { userPoolId: "eu-west-1_a1b2c3d4e" } } };
// @ts-expect-error: the name is missing
export const noName = () => new WebsocketRelay({ auth });
// @ts-expect-error: nobody would get the messages
export const noCallback: RelayClientOptions = { url: "wss://relay.acme.dev/live", context: "chat", contextId: "7" };
// @ts-expect-error: there is no option of that name
export const noSuchOption: Partial<RelayClientOptions> = { heartbeatInterval: 5 };
