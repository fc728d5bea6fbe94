import { WebsocketRelay } from "pulumi-websocket-relay";
import { type DisconnectedUser, RelayBackend, RelayInputError } from "pulumi-websocket-relay/backend";
import { RelayClientError } from "pulumi-websocket-relay/client";
import { MAX_PAYLOAD_BYTES, type Resume } from "pulumi-websocket-relay/protocol";
import { runUnderMocks, valueOf } from "pulumi-websocket-relay/testing";

// A program of ES modules of the same team.
export const disconnected: Promise<DisconnectedUser> = new RelayBackend({ topicArn: "" }).disconnectUser("42");
export const frame: Pick<Resume, "action"> = { action: "resume" };
export const codes = (error: unknown) => [
  error instanceof RelayInputError && error.input,
  error instanceof RelayClientError && error.code,
];
const run = await runUnderMocks(() => new WebsocketRelay("relay", { auth: null }), { stack: "test" });
export const url: string = await valueOf(run.result.websocketUrl);
export const limit: number = MAX_PAYLOAD_BYTES;
