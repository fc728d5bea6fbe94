interface Attribute {
  S?: string;
  N?: string;
}

interface HistoryRequest {
  IndexName?: string;
  Item?: Record<string, Attribute>;
  Key?: Record<string, Attribute>;
  UpdateExpression?: string;
  ExpressionAttributeValues?: Record<string, Attribute>;
  ScanIndexForward?: boolean;
}

/**
 * What a request to the history table is about; undefined for another table's. A history is known by its keys, since the
 * program names the table: the sort key is `log#` with the first number of a segment, `key#` with an idempotency key, or `cursor`.
 */
export function historyTraceLabel(operation: string, request: object): string | undefined {
  const { Item, Key } = request as HistoryRequest;
  const entry = (Item ?? Key)?.entry?.S;
  if (entry !== undefined) return ofEntry(operation, entry, request as HistoryRequest);
  return operation === "Query" ? ofQuery(request as HistoryRequest) : undefined;
}

function ofEntry(operation: string, entry: string, { Item, UpdateExpression = "" }: HistoryRequest): string {
  const [kind, name = ""] = entry.split("#", 2);
  if (kind === "cursor") {
    if (operation === "GetItem") return "read cursor";
    return UpdateExpression.includes("acknowledged") ? "acknowledge" : "settle";
  }
  // Not the key, which is the backend's own.
  if (kind === "key") return operation === "PutItem" ? "claim idempotency key" : "read claim";
  const [first, count] = [Number(name), Number(Item?.count?.N ?? 1)];
  if (operation === "PutItem" && count > 1) return `append numbers ${first} to ${first + count - 1}`;
  const verbs: Record<string, string> = { PutItem: "append", DeleteItem: "delete" };
  return `${verbs[operation] ?? "change"} number ${first}`;
}

function ofQuery({ IndexName, ExpressionAttributeValues = {}, ScanIndexForward }: HistoryRequest): string | undefined {
  // The session table's index is by connection.
  if (IndexName !== undefined) return IndexName === "due" ? "find due sessions" : undefined;
  const bounds = Object.values(ExpressionAttributeValues).flatMap(({ S = "" }) => /^log#(\d*)/.exec(S)?.[1] ?? []);
  if (bounds.length === 0) return undefined;
  if (ScanIndexForward !== false) return `read from number ${Math.min(...bounds.map(Number))} on`;
  const last = Math.max(...bounds.map(Number));
  return last < Number.MAX_SAFE_INTEGER ? `read back from number ${last}` : "read the newest number";
}
