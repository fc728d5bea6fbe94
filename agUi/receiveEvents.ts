import { type BaseEvent, EventType } from "@ag-ui/core";
import type { StreamPiece } from "../client";
import { checkedEvent, EventError } from "./eventError";

/** The `code` of a `RUN_ERROR` that the receiver makes itself: no event of the backend ended the run. */
export type RunErrorCode = "aborted" | "timed-out" | "truncated" | "incomplete" | "malformed-event";

export interface ReceiveEventsOptions {
  /**
   * Called with each event, in order: the next one follows once a returned promise is settled. `streamId` is that of the
   * backend's stream. After a reload, the events of a run that is not over come again from its beginning.
   */
  onEvent(event: BaseEvent, streamId: string): void | PromiseLike<void>;
  /**
   * Whether known events are checked by the schemas of `@ag-ui/core`: a malformed one ends its run with `RUN_ERROR`, and an
   * event of an unknown type is dropped. Pass false where the events go into `@ag-ui/client`, which does the same and strips
   * what a newer version of the protocol has added to a known event. @default true
   */
  validate?: boolean;
  /** Called when an event is dropped, with the reason. @default `console.warn` */
  onWarning?(warning: string): void;
}

/** The client's `onStream`. */
export type EventReceiver = (piece: StreamPiece) => Promise<void>;

/** The state of a stream that has not ended. */
interface Receiving {
  /** The offset of the next piece. */
  offset: number;
  /** The beginning of a line whose end has not arrived. */
  rest: string;
  /** The number of lines so far. */
  lines: number;
  /** Whether the last event ended a run. */
  isRunOver: boolean;
  /** Whether the run was ended here: later events are dropped. */
  isFailed: boolean;
}

/**
 * Makes the client's `onStream` for streams of AG-UI events, as `sendEvents` sends them. A run whose stream ends without
 * `RUN_FINISHED` or `RUN_ERROR` ends with a `RUN_ERROR` that has a `RunErrorCode`.
 */
export function receiveEvents(options: ReceiveEventsOptions): EventReceiver {
  const { onEvent, validate = true, onWarning = (warning) => console.warn(warning) } = options;
  const streams = new Map<string, Receiving>();

  /** The event of a line. @throws EventError */
  const eventOf = (id: string, line: string, index: number): BaseEvent | undefined => {
    const event = parsed(line, index);
    if (!validate) return event;
    if (isKnown(event)) return checkedEvent(event, index);
    // Not an error: https://docs.ag-ui.com/spec/1.0/basic/processing
    onWarning(`stream ${id}: event ${index} of the unknown type ${event.type} was dropped`);
    return undefined;
  };

  return async ({ id, offset, text, status, reason }) => {
    const receiving = streams.get(id) ?? { offset: 0, rest: "", lines: 0, isRunOver: false, isFailed: false };
    if (status === "open") streams.set(id, receiving);
    else streams.delete(id);

    const thrown: unknown[] = [];
    const pass = async (event: BaseEvent) => {
      receiving.isRunOver = event.type === EventType.RUN_FINISHED || event.type === EventType.RUN_ERROR;
      // As the client does with a message: an event counts as handled even if its handler fails.
      try {
        await onEvent(event, id);
      } catch (error) {
        thrown.push(error);
      }
    };
    const fail = async (code: RunErrorCode, message: string) => {
      receiving.isFailed = true;
      const error: BaseEvent = { type: EventType.RUN_ERROR, message, code };
      await pass(error);
    };
    const passLines = async (lines: string[]) => {
      for (const line of lines) {
        let event: BaseEvent | undefined;
        try {
          event = eventOf(id, line, receiving.lines++);
        } catch (error) {
          if (!(error instanceof EventError)) throw error;
          return fail("malformed-event", error.message);
        }
        if (event) await pass(event);
      }
    };

    if (receiving.isFailed) return;
    if (offset > receiving.offset) {
      await fail("incomplete", `the stream's text from ${receiving.offset} to ${offset} is not available any more`);
    } else {
      const lines = (receiving.rest + text.slice(receiving.offset - offset)).split("\n");
      receiving.offset = Math.max(receiving.offset, offset + text.length);
      receiving.rest = lines.pop() ?? "";
      await passLines(lines);
      if (status !== "open" && !receiving.isRunOver) await fail(...endOf(status, reason));
    }
    if (thrown.length > 0) throw thrown[0];
  };
}

/** The code and message of a run whose stream has ended first. */
function endOf(status: "closed" | "aborted" | "timed-out", reason?: string): [RunErrorCode, string] {
  switch (status) {
    case "closed":
      return ["truncated", "the stream was closed before the run ended"];
    case "aborted":
      return [status, reason ?? "the backend aborted the stream"];
    case "timed-out":
      return [status, "the backend is silent"];
  }
}

function parsed(line: string, index: number): BaseEvent {
  try {
    const event: unknown = JSON.parse(line);
    if (typeof event === "object" && event !== null && "type" in event) return event as BaseEvent;
  } catch {
    // Refused below, like JSON that is no event.
  }
  throw new EventError(index, "without a type", ["the line is not a JSON object with a type"]);
}

function isKnown({ type }: BaseEvent): boolean {
  return Object.values<string>(EventType).includes(type);
}
