import { connectedSessionsFromEnvironment } from "../connections/connectedSessions";
import { connectionsFromEnvironment } from "../connections/connectionsClient";
import { limitedConnections } from "../connections/limitedConnections";
import type { Environment } from "../environment";
import { sessionReaderFromEnvironment } from "../sessions/sessionReader";
import { deliverBatch, type DeliverBatchDependencies } from "./deliverBatch";
import {
  type DeliverHandler,
  deliverHandler,
  type Invocation,
  queueDependenciesFromEnvironment,
  type QueueDependencies,
} from "./deliverHandler";
import { withScopes, type ScopeDependencies, isTakenByOne } from "./withScopes";

export type { Invocation };

export type DeliverDependencies = Pick<DeliverBatchDependencies, "sessions" | "connections"> &
  Pick<ScopeDependencies, "scopes" | "partials"> &
  QueueDependencies;

/** Called with a batch of the retry queue: posts each message to its session's connections, and keeps those that were not delivered. Never throws. */
export function deliver(dependencies: DeliverDependencies): DeliverHandler {
  return deliverHandler(dependencies, withScopes(deliverBatch, isTakenByOne), isTakenByOne);
}

/** `deliver` as the component deploys it. */
export function deliverFromEnvironment(environment: Environment): DeliverHandler {
  return deliver({
    sessions: sessionReaderFromEnvironment(environment),
    connections: limitedConnections(connectionsFromEnvironment(environment)),
    scopes: connectedSessionsFromEnvironment(environment),
    ...queueDependenciesFromEnvironment(environment),
  });
}
