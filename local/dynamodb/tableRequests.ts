import { jsonObject } from "../jsonObject";

type Body = Record<string, unknown>;

/** A refusal: of a request that AWS refuses too, or that dynalite supports only in part. */
export interface TableRefusal {
  /** The error's name for an SDK client. */
  type: "ValidationException" | "UnknownOperationException";
  message: string;
}

/** Parameters that dynalite does not support, but that have no effect with this value. */
const harmless: Record<string, unknown[]> = {
  ReturnValuesOnConditionCheckFailure: ["NONE"],
  // dynalite's scans always are.
  ConsistentRead: [true, false],
};

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const maxExpressionBytes = 4_096;
const maxNestingLevels = 32;

/**
 * Refuses a request of an SDK client before dynalite sees it: operations and parameters that dynalite does not support
 * (it ignores unknown parameters), and values that dynalite accepts but DynamoDB does not. `parametersOf` returns the
 * parameters of an operation that dynalite supports; undefined for an unknown operation.
 */
export function tableRequestRefusal(
  operation: string,
  json: string,
  parametersOf: (operation: string) => readonly string[] | undefined,
): TableRefusal | undefined {
  const known = parametersOf(operation);
  if (!known) {
    const message = `${operation} is not modelled in the local run`;
    return { type: "UnknownOperationException", message };
  }
  const body = jsonObject(json);
  // Dynalite refuses it with its own message.
  if (!body) return undefined;
  const message = unknownParameter(body, known) ?? checks.map((check) => check(body)).find(Boolean);
  return message === undefined ? undefined : { type: "ValidationException", message };
}

function unknownParameter(body: Body, known: readonly string[]): string | undefined {
  const [name, value] =
    Object.entries(body).find(
      ([parameter, given]) =>
        !known.includes(parameter) && given !== null && harmless[parameter]?.includes(given) !== true,
    ) ?? [];
  return name && `${name} is not modelled in the local run; got ${JSON.stringify(value)}`;
}

const checks: ((body: Body) => string | undefined)[] = [expressionTooLong, emptyKeyCondition, consistentIndex, tooDeep];

function expressionTooLong(body: Body): string | undefined {
  const tooLong = Object.entries(body).find(
    ([name, value]) => name.endsWith("Expression") && Buffer.byteLength(String(value)) > maxExpressionBytes,
  );
  if (!tooLong) return undefined;
  const [name, value] = tooLong;
  const bytes = Buffer.byteLength(String(value));
  return `Invalid ${name}: Expression size has exceeded the maximum allowed size of ${maxExpressionBytes}; expression size: ${bytes}`;
}

/** Every value of a key condition is compared with a key, and no key is empty. */
function emptyKeyCondition({ KeyConditionExpression, ExpressionAttributeValues }: Body): string | undefined {
  const values = (ExpressionAttributeValues ?? {}) as Record<string, { S?: string; B?: string }>;
  const used = String(KeyConditionExpression ?? "").match(/:\w+/g) ?? [];
  const empty = used.find((name) => values[name]?.S === "" || values[name]?.B === "");
  if (empty === undefined) return undefined;
  return (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty " +
    `${values[empty]?.S === "" ? "string" : "binary"} value: ${empty}`
  );
}

function consistentIndex({ IndexName, ConsistentRead }: Body): string | undefined {
  if (IndexName === undefined || ConsistentRead !== true) return undefined;
  return "Consistent reads are not supported on global secondary indexes";
}

function tooDeep(body: Body): string | undefined {
  if (!isTooDeep(body)) return undefined;
  return "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit";
}

/** Whether a list or a map is more than 32 levels deep. A stack of its own: a request may be deeper than the call stack. */
function isTooDeep(body: Body): boolean {
  const open: [value: unknown, level: number][] = [[body, 0]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [value, level] = next;
    if (level > maxNestingLevels) return true;
    if (typeof value !== "object" || value === null) continue;
    for (const [name, child] of Object.entries(value)) {
      const isNested = (name === "L" && Array.isArray(child)) || (name === "M" && typeof child === "object");
      open.push([child, isNested ? level + 1 : level]);
    }
  }
  return false;
}
