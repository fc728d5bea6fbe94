// What a Pulumi program of the reader's has already.

declare const relay: import("pulumi-websocket-relay").WebsocketRelay;
declare const args: import("pulumi-websocket-relay").WebsocketRelayArgs;
declare const auth: import("pulumi-websocket-relay").AuthArgs;
declare const pool: import("@pulumi/aws").cognito.UserPool;
declare const client: import("@pulumi/aws").cognito.UserPoolClient;
