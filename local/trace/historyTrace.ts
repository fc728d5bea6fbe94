interface Attribute {
  S?: string;
  N?: string;
}

interface HistoryRequest {
  IndexName?: string;
  Item?: Record<string, Attribute>;
  Key?: Record<string, Attribute>;
  ExpressionAttributeValues?: Record<string, Attribute>;
  ScanIndexForward?: boolean;
  ProjectionExpression?: string;
}

/**
 * What a request to the history table is about; undefined for another table's. A history is known by its keys, since the
 * program names the table: the sort key is `log#` with a number, `id#` with a message's id, or `acknowledged`.
 */
export function historyTraceLabel(operation: string, request: object): string | undefined {
  const { Item, Key } = request as HistoryRequest;
  const entry = (Item ?? Key)?.entry?.S;
  if (entry !== undefined) return ofEntry(operation, entry, request as HistoryRequest);
  return operation === "Query" ? ofQuery(request as HistoryRequest) : undefined;
}

function ofEntry(operation: string, entry: string, { Item }: HistoryRequest): string {
  const [kind, name = ""] = entry.split("#", 2);
  const isRead = operation === "GetItem";
  if (kind === "acknowledged") return isRead ? "read acknowledged number" : "acknowledge";
  if (kind === "id") {
    // Not the message's id, which is the backend's own.
    if (operation === "PutItem") return `claim number ${Item?.seq?.N ?? "?"}`;
    return isRead ? "read claim" : "move claim";
  }
  const verbs: Record<string, string> = { PutItem: "append", GetItem: "read", DeleteItem: "delete" };
  return `${verbs[operation] ?? "change"} number ${Number(name)}`;
}

function ofQuery(request: HistoryRequest): string | undefined {
  const { IndexName, ExpressionAttributeValues = {}, ScanIndexForward, ProjectionExpression } = request;
  // The session table's index is by connection.
  if (IndexName !== undefined) return IndexName === "expiry" ? "find due entries" : undefined;
  const bounds = Object.values(ExpressionAttributeValues).flatMap(({ S = "" }) => /^log#(\d*)/.exec(S)?.[1] ?? []);
  if (bounds.length === 0) return undefined;
  if (ScanIndexForward === false) return "read the newest number";
  // Where only the number counts, its message is not read.
  if (ProjectionExpression !== undefined) return "read the oldest number";
  return `read from number ${Math.min(...bounds.map(Number))} on`;
}
