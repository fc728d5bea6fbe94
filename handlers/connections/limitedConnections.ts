import pLimit from "p-limit";
import type { ConnectionsClient } from "./connectionsClient";

/** A request that waits for one of the SDK's 50 sockets exceeds its connection timeout: it waits here instead. */
const MAX_PARALLEL_REQUESTS = 50;

/** The same connections, with no more requests at a time than the SDK has sockets. */
export function limitedConnections(connections: ConnectionsClient): ConnectionsClient {
  const limit = pLimit(MAX_PARALLEL_REQUESTS);
  return {
    post: (...args) => limit(() => connections.post(...args)),
    isGone: (...args) => limit(() => connections.isGone(...args)),
    close: (...args) => limit(() => connections.close(...args)),
  };
}
