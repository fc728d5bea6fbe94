/**
 * The component, for Pulumi programs.
 *
 * @module pulumi-websocket-relay
 */

export type { Authenticate, AuthenticateHandshake } from "../handlers/authenticate";
export type { RetryWindowSeconds } from "../handlers/backoff";
export type { AccessLogs, AccessLogsArgs } from "./accessLogs";
export type { AlarmArgs } from "./alarmArgs";
export { type WebsocketRelayArgs } from "./args";
export { type AuthArgs } from "./authArgs";
export { CallbackFunction, type CallbackFunctionArgs, type PolicyStatement } from "./callbackFunction";
export type { CustomDomain, CustomDomainTarget } from "./customDomain";
export type { CustomDomainArgs } from "./customDomainArgs";
export { type KmsKeyPolicyArgs, type KmsKeyPolicyStatement, kmsKeyPolicyStatements } from "./encryption";
export type { Expire } from "./expire";
export type { Gateway } from "./gateway";
export type { HistoryTable } from "./historyTable";
export type { Monitoring } from "./monitoring";
export type { Publisher } from "./publisher";
export type { Replay } from "./replay";
export type { SessionTable } from "./sessionTable";
export type { Sweep } from "./sweep";
export { type RelayAddresses, WebsocketRelay } from "./websocketRelay";
