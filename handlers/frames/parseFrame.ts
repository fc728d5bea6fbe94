import type { Acknowledgement, Cursor, Resume } from "../../protocol";
import { isObject } from "../isObject";
import type { Checked } from "../sessions/sessionKey";

type Fields = Record<string, unknown>;

/**
 * The frame of the route `resume`, or its problem. It only names the length of strings: one may be a token. A
 * null is an absent member: serializers of many languages write null for a missing value.
 */
export function parseResume(body: string | null | undefined): Checked<Resume> {
  const frame = parseAction(body, "resume");
  if (frame.reason !== undefined) return frame;
  const cursor = frame.value.cursor ?? undefined;
  const from = frame.value.from ?? undefined;
  if (from !== undefined && from !== "acknowledged" && from !== "oldest") {
    return refused("from", from, "acknowledged, oldest, or nothing");
  }
  const after = frame.value.after ?? undefined;
  if (after !== undefined && !isNumber(after)) return refused("after", after, `${A_NUMBER}, or nothing`);
  if (cursor === undefined) return { value: { action: "resume", ...(from && { from }) } };
  const checked = parseCursor(cursor);
  if (checked.reason !== undefined) return checked;
  return { value: { action: "resume", cursor: checked.value, ...(after !== undefined && { after }) } };
}

/** The frame of the route `ack`, or its problem. */
export function parseAcknowledgement(body: string | null | undefined): Checked<Acknowledgement> {
  const frame = parseAction(body, "ack");
  if (frame.reason !== undefined) return frame;
  const cursor = parseCursor(frame.value.cursor ?? undefined);
  return cursor.reason === undefined ? { value: { action: "ack", cursor: cursor.value } } : cursor;
}

function parseAction(body: string | null | undefined, action: string): Checked<Fields> {
  let frame: unknown;
  try {
    frame = JSON.parse(body ?? "");
  } catch {
    return { reason: `the frame is not JSON: got ${body ? described(body) : "nothing"}` };
  }
  if (!isObject(frame)) return refused("the frame", frame, "a JSON object");
  return frame.action === action ? { value: frame } : refused("action", frame.action, action);
}

/** The number 0 is the cursor of a client that knows the epoch and has seen nothing of it. */
function parseCursor(cursor: unknown): Checked<Cursor> {
  if (!isObject(cursor)) return refused("cursor", cursor, "an object of epoch and seq");
  const { epoch, seq } = cursor;
  if (typeof epoch !== "string" || epoch === "")
    return refused("cursor.epoch", epoch, "the epoch of a message or a hello");
  return isNumber(seq) ? { value: { epoch, seq } } : refused("cursor.seq", seq, A_NUMBER);
}

const A_NUMBER = "a whole number from 0";

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function refused(name: string, got: unknown, allowed: string): { reason: string } {
  return { reason: `${name}: got ${described(got)}; allowed: ${allowed}` };
}

function described(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return `a string of ${value.length} characters`;
  if (Array.isArray(value)) return "an array";
  return isObject(value) ? "an object" : String(value);
}
