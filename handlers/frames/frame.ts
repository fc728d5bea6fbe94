import type { Envelope, ErrorEnvelope } from "../../protocol";
import type { ConnectionLookups } from "../connections/connectionLookups";
import type { ConnectionsClient } from "../connections/connectionsClient";
import { errorFields, type Log, type LogFields } from "../log";
import type { Metrics } from "../metrics";
import type { Checked, SessionKey } from "../sessions/sessionKey";
import { timeLimit } from "../timeLimit";

/** What the event of a client's frame carries: no query, no headers, nobody's identity. */
export interface FrameEvent {
  requestContext: { connectionId: string; requestId: string };
  body?: string | null;
}

/** A frame that is of the protocol, and the session of the connection that it came over. */
export interface ClientFrame<Action> {
  action: Action;
  key: SessionKey;
  connectionId: string;
  /** By which every line of the log names it. */
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
  /** What its frames have as their `action`: by that, the gateway has chosen the route. */
  action: ErrorEnvelope["action"];
  parse(body: string | null | undefined): Checked<Action>;
  handle(frame: ClientFrame<Action>): Promise<void>;
}

/** What the gateway makes of an answer is in its own metrics alone: nothing of it goes to the client. */
export type FrameHandler = (
  event: FrameEvent,
  invocation: { getRemainingTimeInMillis(): number },
) => Promise<{ statusCode: 200 | 500 }>;

/** Kept back of the function's time: for telling the client of a fault, and for the metrics. */
const ANSWERING_MS = 3_000;

/** Handles a route's frames: answers 200, or 500 where a fault of ours is the reason why a frame was not handled. */
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
      // Also where no answer is due: a client that is done has no other reason to say it once more.
      await postError(connectionId, { code: "unavailable", message: FAULT, action: name }, ids, dependencies);
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

/** Posts a text of envelopes; false, and why is logged, where the gateway has not taken it. */
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
