import type { TransportCapabilities } from "@ag-ui/core";

/**
 * What an agent behind a relay may declare as `transport` in its `getCapabilities()`. `resumable`: a client that was away gets
 * the rest of a running answer by the relay's sequence numbers, and a client that was restarted gets the answer from its beginning.
 */
export const TRANSPORT_CAPABILITIES = { websocket: true, resumable: true } as const satisfies TransportCapabilities;
