import { SUBPROTOCOLS, type Envelope, type MessageEnvelope } from "../../protocol";

/**
 * The kinds of a frame's envelopes, without their bodies: `hello, resumed, message 3 to 5`. Only for clients of our protocol:
 * a backend's message may look like an envelope.
 */
export function frameLabel(text: string, subprotocol: string | undefined): string {
  if (subprotocol !== SUBPROTOCOLS.v1) return "message";
  const envelopes = envelopesOf(text);
  return envelopes ? runs(envelopes).join(", ") : "a frame that is no JSON";
}

/** Whether a frame to a client holds what a backend published. */
export function hasMessage(text: string, subprotocol: string | undefined): boolean {
  if (subprotocol !== SUBPROTOCOLS.v1) return true;
  return envelopesOf(text)?.some(({ type }) => type === "message") ?? false;
}

function envelopesOf(text: string): Envelope[] | undefined {
  try {
    return [JSON.parse(text) as Envelope | Envelope[]].flat();
  } catch {
    return undefined;
  }
}

function runs(envelopes: Envelope[]): string[] {
  const labels: string[] = [];
  let first: number | undefined;
  for (const [at, envelope] of envelopes.entries()) {
    if (envelope.type !== "message") {
      labels.push(envelope.type);
      continue;
    }
    first ??= firstOf(envelope);
    const next = envelopes[at + 1];
    if (next?.type === "message" && firstOf(next) === envelope.seq + 1) continue;
    labels.push(first === envelope.seq ? `message ${first}` : `message ${first} to ${envelope.seq}`);
    first = undefined;
  }
  return labels;
}

/** The first number that it covers. */
function firstOf({ first, seq }: MessageEnvelope): number {
  return first ?? seq;
}
