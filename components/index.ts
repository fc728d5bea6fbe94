/**
 * The component, for Pulumi programs.
 *
 * @module pulumi-websocket-relay
 */
import type { HistorySweeper } from "./historySweeper";
import type { Sweeper } from "./sweeper";

export type { Authenticate, AuthenticateHandshake } from "../handlers/connect/auth/authenticate";
export type { RetryWindowSeconds } from "../handlers/deliver/backoff";
export type { GatewayLogsArgs } from "./args/gatewayLogsArgs";
export type { AlarmArgs } from "./args/alarmArgs";
export { type WebsocketRelayArgs } from "./args/args";
export { type AuthArgs } from "./args/authArgs";
export { CallbackFunction, type CallbackFunctionArgs, type PolicyStatement } from "./lambda/callbackFunction";
export type { GatewayLogs } from "./gateway/gatewayLogs";
export type { CustomDomain, CustomDomainTarget } from "./gateway/customDomain";
export type { CustomDomainArgs } from "./args/customDomainArgs";
export { type KmsKeyPolicyArgs, type KmsKeyPolicyStatement, kmsKeyPolicyStatements } from "./data/encryption";
export type { Gateway } from "./gateway/gateway";
export type { HistoryTable } from "./data/historyTable";
export type { HttpRead } from "./httpRead";
export type { Monitoring } from "./monitoring/monitoring";
export type { Publisher } from "./ingress/publisher";
export type { Replay } from "./replay";
export type { SessionTable } from "./data/sessionTable";
export type { EveryMinute } from "./everyMinute";
export type { HistorySweeper };
export type { Sweeper };
export { type RelayAddresses, WebsocketRelay } from "./websocketRelay";

/** @deprecated Use `HistorySweeper`. */
export type Expire = HistorySweeper;
/** @deprecated Use `Sweeper`. */
export type Sweep = Sweeper;
