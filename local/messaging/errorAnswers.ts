import type { FastifyReply } from "fastify";
import type { AccessDenied } from "../iam/iam";
import type { AwsError } from "./awsError";
import type { RefusedEntry } from "./batch";

export function refuseSqs(reply: FastifyReply, { code, reason }: AwsError): void {
  answerSqs(reply, code, 400, reason, `${prefixed.has(code) ? "AWS.SimpleQueueService." : ""}${code}`);
}

/** Errors that the older protocol of SQS names with a prefix. */
const prefixed = new Set([
  "BatchEntryIdsNotDistinct",
  "BatchRequestTooLong",
  "EmptyBatchRequest",
  "InvalidBatchEntryId",
  "PurgeQueueInProgress",
  "QueueDeletedRecently",
  "TooManyEntriesInBatchRequest",
]);

export function denySqs(reply: FastifyReply, { message, request }: AccessDenied): void {
  if (request.action.startsWith("kms:")) answerSqs(reply, "KmsAccessDenied", 400, message, "KMS.AccessDeniedException");
  else answerSqs(reply, "AccessDeniedException", 403, message, "AccessDenied");
}

export function refuseSns(reply: FastifyReply, { code, reason }: AwsError): void {
  answerSns(reply, code, 400, reason);
}

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors */
export function denySns(reply: FastifyReply, { message, request }: AccessDenied): void {
  if (request.action.startsWith("kms:")) answerSns(reply, "KMSAccessDenied", 400, message);
  else answerSns(reply, "AuthorizationError", 403, message);
}

/** The JSON protocol's error, as the SDK reads it; some have another name in the older protocol. */
function answerSqs(reply: FastifyReply, type: string, status: number, message: string, queryCode = type): void {
  void reply
    .status(status)
    .header("content-type", "application/x-amz-json-1.0")
    .header("x-amzn-query-error", `${queryCode};Sender`)
    .send(JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message }));
}

/** The query protocol's error, as the SDK reads it. */
function answerSns(reply: FastifyReply, code: string, status: number, message: string): void {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`;
  const namespace = "http://sns.amazonaws.com/doc/2010-03-31/";
  void reply
    .status(status)
    .header("content-type", "text/xml")
    .send(`<ErrorResponse xmlns="${namespace}">${error}<RequestId>local</RequestId></ErrorResponse>`);
}

function escaped(text: string): string {
  const characters: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  return text.replace(/[&<>]/g, (character) => characters[character] ?? "");
}

/** The answer to a batch of SQS, with the entries that were refused before fauxqs saw it. */
export function withRefusedSqs(answer: string, refused: RefusedEntry[]): string {
  const { Failed = [], ...others } = JSON.parse(answer) as { Failed?: unknown[] };
  const entries = refused.map(({ id, error: { code, reason } }) => ({
    Id: id,
    SenderFault: true,
    Code: code,
    Message: reason,
  }));
  return JSON.stringify({ ...others, Failed: [...Failed, ...entries] });
}

/** The answer to a batch of SNS, likewise. */
export function withRefusedSns(answer: string, refused: RefusedEntry[]): string {
  const members = refused.map(({ id, error: { code, reason } }) => {
    const fields = { Id: id, Code: code, Message: escaped(reason), SenderFault: "true" };
    return `<member>${Object.entries(fields)
      .map(([name, value]) => `<${name}>${value}</${name}>`)
      .join("")}</member>`;
  });
  return answer.replace("<Failed>", () => `<Failed>${members.join("")}`);
}
