import type { Acknowledgement, Cursor, Resume } from "../../protocol";
import type { Checked } from "../session";

type Fields = Record<string, unknown>;

/** The frame of the route `resume`, or what is wrong with it. What it says of strings is their length: one may be a token. */
export function parseResume(body: string | null | undefined): Checked<Resume> {
  const frame = parseAction(body, "resume");
  if (frame.reason !== undefined) return frame;
  const { cursor, from } = frame.value;
  if (from !== undefined && from !== "acknowledged" && from !== "oldest") {
    return refused("from", from, "acknowledged, oldest, or nothing");
  }
  if (cursor === undefined) return { value: { action: "resume", ...(from && { from }) } };
  // 0 is the cursor of a client that knows the epoch and has seen nothing of it.
  const checked = parseCursor(cursor, 0);
  return checked.reason === undefined ? { value: { action: "resume", cursor: checked.value } } : checked;
}

/** The frame of the route `ack`, or what is wrong with it. */
export function parseAcknowledgement(body: string | null | undefined): Checked<Acknowledgement> {
  const frame = parseAction(body, "ack");
  if (frame.reason !== undefined) return frame;
  const cursor = parseCursor(frame.value.cursor, 1);
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

function parseCursor(cursor: unknown, least: number): Checked<Cursor> {
  if (!isObject(cursor)) return refused("cursor", cursor, "an object of epoch and seq");
  const { epoch, seq } = cursor;
  if (typeof epoch !== "string" || epoch === "")
    return refused("cursor.epoch", epoch, "the epoch of a message or a hello");
  if (!Number.isSafeInteger(seq) || (seq as number) < least) {
    return refused("cursor.seq", seq, `a whole number from ${least}`);
  }
  return { value: { epoch, seq: seq as number } };
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

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
