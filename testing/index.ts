/**
 * For the unit tests of programs that have a relay: Pulumi's mocks with what AWS would answer. It needs no test framework.
 *
 * @module pulumi-websocket-relay/testing
 */

export { type Registration, type RelayMocks, relayMocks, type RelayMocksOptions } from "./relayMocks";
export { type RunOptions } from "./recordProgram";
export { type Run, runUnderMocks, valueOf } from "./runUnderMocks";
