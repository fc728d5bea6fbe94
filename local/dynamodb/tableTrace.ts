import { historyTraceLabel } from "../trace/historyTrace";

interface TableRequest {
  Item?: Keys & { connections?: object; connection_id?: object };
  Key?: Keys;
}

interface Keys {
  caller_id?: { S?: string };
  context?: { S?: string };
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

/** Sessions, their markers, the lookups of connections and blocks are told apart by their keys. */
function subjectOf({ Item, Key }: TableRequest): "session" | "marker" | "connection" | "block" {
  if (isMarker(Item ?? Key)) return "marker";
  const sortKey = (Item ?? Key)?.context?.S ?? "";
  if (sortKey === "#connection") return "connection";
  return sortKey === "#block" ? "block" : "session";
}

/** Whether the item says that a session has been connected. */
function isMarker(item: Keys | undefined): boolean {
  return item?.caller_id?.S?.startsWith("seen#") ?? false;
}

/** Whether only superseded connections are left in the row: the newest one has ended. */
function leavesNoSession({ Item }: TableRequest): boolean {
  return Item?.connections !== undefined && Item.connection_id === undefined;
}

function gist(operation: string, { Item, Items, Responses }: Record<string, unknown>): string {
  if (operation === "GetItem") return found(Item ? 1 : 0);
  if (Array.isArray(Items)) return found(Items.length);
  if (Responses) {
    // A handshake reads the session's marker as well.
    const items = Object.values(Responses as Record<string, Keys[]>).flat();
    return found(items.filter((item) => !isMarker(item)).length);
  }
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
