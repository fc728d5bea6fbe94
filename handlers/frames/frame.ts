import type { Envelope, ErrorEnvelope } from "../../protocol";
import type { ConnectionLookups } from "../connections/connectionLookups";
import type { ConnectionsClient } from "../connections/connectionsClient";
import { errorFields, type Log, type LogFields } from "../log";
import type { Metrics } from "../metrics";
import type { Checked, SessionKey } from "../sessions/sessionKey";
import { timeLimit } from "../timeLimit";

/** The event of a client's frame: it has no query, no headers and no identity. */
export interface FrameEvent {
  requestContext: { connectionId: string; requestId: string };
  body?: string | null;
}

/** A valid frame, and the session of its connection. */
export interface ClientFrame<Action> {
  action: Action;
  key: SessionKey;
  connectionId: string;
  /** Identify the frame in every log line. */
  fields: LogFields;
  signal: AbortSignal;
}

export interface FrameDependencies {
  lookups: Pick<ConnectionLookups, "read">;
  connections: Pick<ConnectionsClient, "post">;
  metrics: Metrics;
  /** Epoch milliseconds. */
  now: () => number;
  log: Log;
}

/** How the frames of one route are handled. */
export interface Route<Action> {
  /** The `action` of its frames, by which the gateway chooses the route. */
  action: ErrorEnvelope["action"];
  parse(body: string | null | undefined): Checked<Action>;
  handle(frame: ClientFrame<Action>): Promise<void>;
}

/** The status only appears in the gateway's own metrics: the client does not get it. */
export type FrameHandler = (
  event: FrameEvent,
  invocation: { getRemainingTimeInMillis(): number },
) => Promise<{ statusCode: 200 | 500 }>;

/** Reserved at the end of the function's time, to send an error to the client and write the metrics. */
const ANSWERING_MS = 3_000;

/** Handles a route's frames: answers 200, or 500 if a fault of the relay kept a frame from being handled. */
export function frameHandler<Action>(route: Route<Action>, dependencies: FrameDependencies): FrameHandler {
  const { lookups, metrics, log } = dependencies;
  const { action: name } = route;

  return async function handleFrame({ requestContext: { connectionId, requestId }, body }, invocation) {
    const ids = { connectionId, requestId };
    const signal = timeLimit(invocation.getRemainingTimeInMillis() - ANSWERING_MS);
    try {
      const action = route.parse(body);
      if (action.reason !== undefined) {
        const error = { code: "bad-request", message: action.reason, action: name } as const;
        await refuse(connectionId, error, ids, dependencies);
        return { statusCode: 200 };
      }
      const lookup = await lookups.read(connectionId, signal);
      if (!lookup) {
        const error = { code: "no-session", message: UNKNOWN_CONNECTION, action: name } as const;
        await refuse(connectionId, error, ids, dependencies);
        return { statusCode: 200 };
      }
      const { session: key } = lookup;
      await route.handle({ action: action.value, key, connectionId, fields: { ...ids, ...key }, signal });
      return { statusCode: 200 };
    } catch (error) {
      log.error("frame not handled", { ...ids, outOfTime: signal.aborted, ...errorFields(error) });
      // Also for frames without an answer: the client has no other reason to repeat them.
      await tellUnavailable(connectionId, name, ids, dependencies);
      return { statusCode: 500 };
    } finally {
      metrics.flush();
    }
  };
}

/** The error sent for a frame, without its type. */
export type FrameError = Omit<ErrorEnvelope, "type">;

const UNKNOWN_CONNECTION = "the relay does not know this connection: open another one";
const FAULT = "the relay could not answer: ask again";

/** Tells the client why its frame is not answered. */
export async function refuse(
  connectionId: string,
  error: FrameError,
  fields: LogFields,
  dependencies: Pick<FrameDependencies, "connections" | "log">,
): Promise<void> {
  const { code, message } = error;
  dependencies.log.warn("frame refused", { ...fields, code, detail: message });
  await postError(connectionId, error, fields, dependencies);
}

/** Tells the client that its frame was not handled, or its cursor not acknowledged: it asks again. */
export async function tellUnavailable(
  connectionId: string,
  action: ErrorEnvelope["action"],
  fields: LogFields,
  dependencies: Pick<FrameDependencies, "connections" | "log">,
): Promise<void> {
  await postError(connectionId, { code: "unavailable", message: FAULT, action }, fields, dependencies);
}

/** Posts a text of envelopes; if the gateway does not accept it, logs the reason and returns false. */
export async function posted(
  connectionId: string,
  text: string,
  fields: LogFields,
  { connections, log }: Pick<FrameDependencies, "connections" | "log">,
  signal?: AbortSignal,
): Promise<boolean> {
  const { result, detail } = await connections.post(connectionId, text, signal);
  if (result === "delivered") return true;
  if (result === "forbidden") {
    log.error("configuration error: the function may not post to connections", { ...fields, detail });
  } else {
    log.info("not posted", { ...fields, result, detail });
  }
  return false;
}

async function postError(
  connectionId: string,
  error: FrameError,
  fields: LogFields,
  dependencies: Pick<FrameDependencies, "connections" | "log">,
): Promise<void> {
  const envelope: Envelope = { type: "error", ...error };
  await posted(connectionId, JSON.stringify(envelope), fields, dependencies);
}
