import { problemText } from "../args/refuse";

/** The checked properties of a table that is not the relay's own, as `aws.dynamodb.getTable` returns them. */
export interface ExistingTable {
  name: string;
  hashKey: string;
  rangeKey?: string;
  attributes: { name: string; type: string }[];
  globalSecondaryIndexes: {
    name: string;
    hashKey?: string;
    rangeKey?: string;
    keySchemas?: { attributeName: string; keyType: string }[];
  }[];
  /** @default not checked */
  ttl?: { attributeName: string; enabled: boolean };
}

/** Which indexes the session table has. */
export interface RequiredIndexes {
  /** Whether sessions are indexed by their connection. */
  connectionIndex: boolean;
  /** Whether connections are indexed by the end of their tokens. */
  endSessionWithToken: boolean;
}

/** Why the relay cannot keep its sessions in that table. */
export function existingTableProblem(
  table: ExistingTable,
  { connectionIndex, endSessionWithToken }: RequiredIndexes,
): string | undefined {
  const index = (name: string) => table.globalSecondaryIndexes.find((each) => each.name === name);
  const expiry = "by expiration_date";
  const parts: [isRequired: boolean, what: string, needed: string, got: string][] = [
    [true, "whose keys are", "caller_id (S), context (S)", typed(table, [table.hashKey, table.rangeKey])],
    [
      connectionIndex,
      "whose global index connection has the key",
      "connection_id (S)",
      typed(table, keysOf(index("connection"))),
    ],
    [
      endSessionWithToken,
      "whose global index token-expiry has the keys",
      "expiry_shard (S), token_expires_at (N)",
      typed(table, keysOf(index("token-expiry"))),
    ],
    [
      true,
      "that expires (TTL)",
      expiry,
      table.ttl ? (table.ttl.enabled ? `by ${table.ttl.attributeName}` : "never") : expiry,
    ],
  ];
  const wrong = parts.find(([isRequired, , needed, got]) => isRequired && got !== needed);
  if (!wrong) return undefined;
  const [, what, needed, got] = wrong;
  return problemText(
    table.name,
    `a table ${what} ${needed}, where this one has: ${got}`,
    "change the table so, in an update before this one",
  );
}

function keysOf(index: ExistingTable["globalSecondaryIndexes"][number] | undefined): (string | undefined)[] {
  const { hashKey, rangeKey, keySchemas = [] } = index ?? {};
  return keySchemas.length > 0 ? keySchemas.map(({ attributeName }) => attributeName) : [hashKey, rangeKey];
}

function typed({ attributes }: ExistingTable, keys: (string | undefined)[]): string {
  const given = keys.filter((key) => key !== undefined && key !== "");
  return given.map((key) => `${key} (${attributes.find(({ name }) => name === key)?.type})`).join(", ") || "none";
}
