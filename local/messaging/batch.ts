import { AwsError } from "./awsError";

/** An entry of a batch that is refused while others are taken. */
export interface RefusedEntry {
  id: string;
  error: AwsError;
}

const maxEntries = 10;

/**
 * Refuses a batch as a whole, by the rules that SQS and SNS share.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 * https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
 *
 * @throws AwsError
 */
export function checkBatch(entries: { id: unknown; bytes: number }[], maxBytes: number): void {
  if (entries.length === 0) {
    throw new AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.");
  }
  if (entries.length > maxEntries) {
    throw new AwsError(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are ${maxEntries}. You have sent ${entries.length}.`,
    );
  }
  const seen = new Set<unknown>();
  for (const { id } of entries) {
    if (typeof id !== "string" || !/^[A-Za-z0-9_-]{1,80}$/.test(id)) {
      throw new AwsError(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. " +
          `It can be at most 80 letters long. Got ${JSON.stringify(id ?? null)}.`,
      );
    }
    if (seen.has(id)) throw new AwsError("BatchEntryIdsNotDistinct", `Id ${id} repeated.`);
    seen.add(id);
  }
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (bytes > maxBytes) {
    throw new AwsError(
      "BatchRequestTooLong",
      `Batch requests cannot be longer than ${maxBytes} bytes. You have sent ${bytes} bytes.`,
    );
  }
}

/** Checks the entries of a batch each by itself: those that are accepted, and those that are not. */
export function sortEntries<Entry, Accepted>(
  entries: Entry[],
  idOf: (entry: Entry) => unknown,
  check: (entry: Entry) => Accepted,
): { accepted: Accepted[]; refused: RefusedEntry[] } {
  const accepted: Accepted[] = [];
  const refused: RefusedEntry[] = [];
  for (const entry of entries) {
    try {
      accepted.push(check(entry));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      refused.push({ id: String(idOf(entry)), error });
    }
  }
  return { accepted, refused };
}
