import type { BaseEvent } from "@ag-ui/core";
import { EventSchemas } from "@ag-ui/core/schemas";

/** An event that AG-UI does not allow. */
export class EventError extends Error {
  override readonly name = "EventError";

  /**
   * @param index The event's position in the run, from 0.
   * @param type The event's type as it came.
   * @param problems Each wrong member with what is wrong about it.
   */
  constructor(
    readonly index: number,
    readonly type: string,
    readonly problems: readonly string[],
  ) {
    const fix = "Fix: send what the schema of this type in @ag-ui/core/schemas allows";
    super(`event ${index} (${type}) is not an AG-UI event: ${problems.join("; ")}. ${fix}`);
  }
}

/** Returns the event. @throws EventError that names the type and its wrong members. */
export function checkedEvent(event: unknown, index: number): BaseEvent {
  const parsed = EventSchemas.safeParse(event);
  if (parsed.success) return event as BaseEvent;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join(".")}: ${message}` : message,
  );
  throw new EventError(index, typeOf(event), problems);
}

function typeOf(event: unknown): string {
  const { type } = (event ?? {}) as { type?: unknown };
  return typeof type === "string" ? type : "without a type";
}
