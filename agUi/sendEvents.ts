import { type BaseEvent, EventType, omitOptionalNulls } from "@ag-ui/core";
import { checkedEvent } from "./eventError";

/** The part of the backend's `RelayStream` that is used here. */
export interface EventStream {
  append(text: string): Promise<void>;
  close(): Promise<void>;
  /** Does not reject if the client could not be told. */
  abort(reason: string): Promise<unknown>;
}

/** The stream's reasons, which the client gets. The text of an error may be confidential, so it stays in the backend. */
const REASONS = {
  failed: "the run failed",
  unfinished: "the run ended without RUN_FINISHED or RUN_ERROR",
} as const;

/**
 * Sends the events of a run, or of several runs one after the other, as one stream: each event as a line of JSON. Then it ends
 * the stream: closed if the last run finished, aborted if it failed or did not end.
 *
 * @throws EventError for the first event that AG-UI does not allow; an error of the events or of the stream. The stream is
 * aborted, and the client gets `RUN_ERROR`.
 */
export async function sendEvents(
  events: AsyncIterable<BaseEvent> | Iterable<BaseEvent>,
  stream: EventStream,
): Promise<void> {
  let last: EventType | undefined;
  try {
    let index = 0;
    for await (const event of events) {
      // Agents in other languages send null for absent members, which AG-UI allows a sender to leave out.
      const sent = checkedEvent(omitOptionalNulls(event, "Event"), index++);
      // JSON.stringify writes no line break of its own.
      await stream.append(`${JSON.stringify(sent)}\n`);
      last = sent.type;
    }
    if (last === EventType.RUN_FINISHED) return await stream.close();
  } catch (error) {
    await stream.abort(REASONS.failed);
    throw error;
  }
  await stream.abort(last === EventType.RUN_ERROR ? REASONS.failed : REASONS.unfinished);
}
