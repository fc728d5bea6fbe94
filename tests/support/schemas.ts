import Ajv, { type ErrorObject } from "ajv";
import framesSchema from "../../protocol/frames.schema.json";
import receiptSchema from "../../protocol/receipt.schema.json";
import streamChunkSchema from "../../protocol/streamChunk.schema.json";
import type { Envelope, FrameToClient, FrameToRelay, Receipt } from "../../protocol";

// Conditions name members of the object that they are in, whose type is said once.
const ajv = new Ajv({ strictTypes: false, strictRequired: false }).addSchema(framesSchema, "frames");

export const definitions = framesSchema.definitions as Record<string, Definition>;

/** What a definition says of its members; the other keywords are ajv's business. */
export interface Definition {
  properties?: Record<string, { const?: unknown; enum?: unknown[] }>;
  required?: string[];
}

const isReceipt = ajv.compile(receiptSchema);

/** Whether a message's body, parsed, is a chunk of a stream. */
export const isStreamChunk: (value: unknown) => boolean = ajv.compile(streamChunkSchema);

/** Why a value is not what the definition says; empty where it is. */
export function problemsOf(definition: string, value: unknown): string[] {
  const validate = ajv.getSchema(`frames#/definitions/${definition}`);
  if (!validate) throw new Error(`the schema has no definition ${definition}`);
  return validate(value) ? [] : written(validate.errors);
}

/** The envelopes of a frame. @throws where it is none that the relay may send */
export function envelopesIn(text: string): Envelope[] {
  const frame = validated<FrameToClient>("FrameToClient", JSON.parse(text));
  return [frame].flat() as Envelope[];
}

/** @throws where a client may not send it */
export function frameToRelay(frame: FrameToRelay): string {
  return JSON.stringify(validated<FrameToRelay>("FrameToRelay", frame));
}

/** @throws where it is no receipt */
export function receipt(value: Receipt): Receipt {
  if (!isReceipt(value))
    throw new Error(`no receipt: ${JSON.stringify(value)}: ${written(isReceipt.errors).join("; ")}`);
  return value;
}

function validated<T>(definition: string, value: unknown): T {
  const problems = problemsOf(definition, value);
  if (problems.length > 0) throw new Error(`no ${definition}: ${JSON.stringify(value)}: ${problems.join("; ")}`);
  return value as T;
}

function written(errors: ErrorObject[] | null | undefined): string[] {
  return (errors ?? []).map(({ instancePath, message }) => `${instancePath || "it"} ${message}`);
}
