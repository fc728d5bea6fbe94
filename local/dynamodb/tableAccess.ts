import type { IncomingHttpHeaders } from "node:http";
import { arn } from "../account";
import { AccessDenied, type Iam } from "../iam/iam";

type Body = Record<string, unknown>;

/** Authorizes requests to the tables. */
export class TableAccess {
  private readonly keysByTable = new Map<string, string>();

  constructor(private readonly iam: Iam) {}

  /** The customer's KMS key that a table is encrypted with; undefined for DynamoDB's own. */
  encrypt(tableName: string, key: string | undefined): void {
    if (key === undefined) this.keysByTable.delete(tableName);
    else this.keysByTable.set(tableName, key);
  }

  /** The answer to a request that is not allowed. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
  async denial(headers: IncomingHttpHeaders, operation: string, body: Buffer): Promise<string | undefined> {
    const principal = this.iam.principalOf(headers);
    const asked = resourcesOf(operation, asObject(body));
    // DynamoDB has KMS decrypt the table's key for the caller, and keeps it for that principal for five minutes.
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
    const encrypted = usesItems(operation) ? asked : [];
    try {
      await this.iam.authorize(
        ...asked.map(({ action, resource }) => ({ principal, action, resource })),
        ...encrypted.flatMap(({ resource }) => {
          const key = this.keysByTable.get(resource.split("/")[1] ?? "");
          return this.iam.keys.requests({ principal, service: "dynamodb", key, actions: ["kms:Decrypt"] });
        }),
      );
      return undefined;
    } catch (error) {
      if (!(error instanceof AccessDenied)) throw error;
      return JSON.stringify({ __type: "com.amazon.coral.service#AccessDeniedException", Message: error.message });
    }
  }
}

/** An operation has its own name on each table or index that it is about. */
function resourcesOf(operation: string, body: Body): { action: string; resource: string }[] {
  const action = `dynamodb:${operation}`;
  const batched = body["RequestItems"];
  const tables =
    typeof batched === "object" && batched !== null ? Object.keys(batched) : [body["TableName"]].filter(Boolean);
  if (tables.length === 0) return [{ action, resource: "*" }];
  const index = body["IndexName"] === undefined ? "" : `/index/${String(body["IndexName"])}`;
  return tables.map((table) => ({ action, resource: `${tableArn(String(table))}${index}` }));
}

/** Requests name a table by its name or by its ARN. */
function tableArn(table: string): string {
  return table.startsWith("arn:") ? table : arn("dynamodb", `table/${table}`);
}

function usesItems(operation: string): boolean {
  return /^(Put|Get|Update|Delete|BatchGet|BatchWrite)Item$|^(Query|Scan)$|^Transact/.test(operation);
}

function asObject(body: Buffer): Body {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? (value as Body) : {};
  } catch {
    // Dynalite refuses it with its own message.
    return {};
  }
}
