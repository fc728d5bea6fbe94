import { historyTraceLabel } from "../trace/historyTrace";

interface TableRequest {
  Item?: { context?: { S?: string }; connections?: object; connection_id?: object };
  Key?: { context?: { S?: string } };
}

/** The label of a request to a table, with its outcome; undefined for requests outside the flow. */
export function tableTrace(
  operation: string,
  request: Buffer,
  status: number,
  body: string,
): { table: "WSSessionDB" | "HistoryDB"; label: string } | undefined {
  const meaning = meanings[operation];
  if (!meaning) return undefined;
  const asked = JSON.parse(request.toString()) as TableRequest;
  const answer = (body ? JSON.parse(body) : {}) as Record<string, unknown>;
  const end = status === 200 ? gist(operation, answer) : failure(answer);
  const ofHistory = historyTraceLabel(operation, asked);
  return ofHistory === undefined
    ? { table: "WSSessionDB", label: `${leavesNoSession(asked) ? "clear" : meaning} ${subjectOf(asked)}: ${end}` }
    : { table: "HistoryDB", label: `${ofHistory}: ${end}` };
}

const meanings: Record<string, string> = {
  PutItem: "save",
  UpdateItem: "save",
  GetItem: "read",
  BatchGetItem: "read",
  Query: "find",
  Scan: "find",
  DeleteItem: "delete",
  BatchWriteItem: "write",
};

/** Sessions, the lookups of connections and blocks are told apart by their sort key. */
function subjectOf({ Item, Key }: TableRequest): "session" | "connection" | "block" {
  const sortKey = (Item ?? Key)?.context?.S ?? "";
  if (sortKey === "#connection") return "connection";
  return sortKey === "#block" ? "block" : "session";
}

/** Whether only superseded connections are left in the row: the newest one has ended. */
function leavesNoSession({ Item }: TableRequest): boolean {
  return Item?.connections !== undefined && Item.connection_id === undefined;
}

function gist(operation: string, { Item, Items, Responses }: Record<string, unknown>): string {
  if (operation === "GetItem") return found(Item ? 1 : 0);
  if (Array.isArray(Items)) return found(Items.length);
  if (Responses) return found(Object.values(Responses as Record<string, unknown[]>).flat().length);
  return "ok";
}

function found(count: number): string {
  return count === 0 ? "none found" : `${count} found`;
}

function failure({ __type: type }: Record<string, unknown>): string {
  return String(type).split("#").at(-1) === "ConditionalCheckFailedException"
    ? "refused by its condition"
    : `failed, ${String(type).split("#").at(-1)}`;
}
