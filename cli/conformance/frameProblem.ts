import { parseAcknowledgement, parseResume } from "../../handlers/frames/parseFrame";
import { isObject } from "../../handlers/isObject";

/** Why a text is not a frame that a client may send, checked as the relay checks it; undefined if it is one. */
export function frameProblem(text: string, maxBytes: number): string | undefined {
  if (Buffer.byteLength(text) > maxBytes) return `a frame of ${Buffer.byteLength(text)} bytes, more than ${maxBytes}`;
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return `${shown}, which is not JSON`;
  }
  const problem = isObject(frame) ? problemIn(frame.action, text) : "it is not a JSON object";
  return problem === undefined ? undefined : `${shown}: ${problem}`;
}

function problemIn(action: unknown, text: string): string | undefined {
  switch (action) {
    case "ping":
      return undefined;
    case "resume":
      return parseResume(text).reason;
    case "ack":
      return parseAcknowledgement(text).reason;
    default:
      return "its action is none of resume, ack and ping";
  }
}
