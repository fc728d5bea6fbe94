import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { sessionId } from "../../handlers/sessions/sessionKey";
import type { Item } from "../../handlers/tableClient";

// Both are dynalite's own, without its server: a request is then one step.
const { checkConditional } = require("dynalite/db") as {
  checkConditional(request: object, item: Item | undefined): Error | null | undefined;
};
const { validateExpressions } = require("dynalite/validations") as {
  validateExpressions(request: object): string | undefined;
};

interface Request {
  Key?: Item;
  Item?: Item;
  ReturnValues?: string;
  ConditionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Item;
  RequestItems?: Record<string, { Keys: Item[] }>;
}

/** One table with the keys of the session table, in memory: each request is one step. */
export class MemoryDynamoDb {
  readonly items = new Map<string, Item>();
  readonly requests: string[] = [];
  /** Runs before each request: what happens in the meantime. May change the request. */
  beforeRequest: (name: string, request: Request) => Promise<void> | void = () => undefined;
  /** Whether the answer to a request is lost, so that the SDK sends the request again. */
  losesAnswer: (name: string, request: Request) => boolean = () => false;

  readonly client = {
    send: async ({ constructor, input }: { constructor: { name: string }; input: Request }) => {
      const name = constructor.name.replace(/Command$/, "");
      const request = { ...input };
      this.requests.push(name);
      await this.beforeRequest(name, request);
      if (this.losesAnswer(name, request)) {
        this.answer(name, request);
        await this.beforeRequest(name, request);
      }
      return this.answer(name, request);
    },
  } as unknown as DynamoDBClient;

  /** The items, without those of blocks. */
  leftovers(): string[] {
    return [...this.items.keys()].filter((id) => !id.includes("#block"));
  }

  private answer(name: string, request: Request): object {
    const id = idOf(request.Key ?? request.Item ?? {});
    const item = this.items.get(id);
    switch (name) {
      case "GetItem":
        return { Item: item };
      case "BatchGetItem": {
        const [[table, { Keys }] = ["", { Keys: [] }]] = Object.entries(request.RequestItems ?? {});
        return {
          Responses: { [table]: Keys.map((key) => this.items.get(idOf(key))).filter((found) => found !== undefined) },
        };
      }
      case "Query": {
        // A partition, and what its sort keys begin with.
        const [partition, beginning] = Object.values(request.ExpressionAttributeValues ?? {});
        const found = [...this.items.values()].filter(({ caller_id: user }) => user?.S === partition?.S);
        return { Items: found.filter(({ context }) => context?.S?.startsWith(beginning?.S ?? "")) };
      }
      case "PutItem":
        refuseUnlessConditionHolds(request, item);
        this.items.set(id, request.Item ?? {});
        return {};
      case "DeleteItem":
        refuseUnlessConditionHolds(request, item);
        this.items.delete(id);
        return request.ReturnValues === "ALL_OLD" ? { Attributes: item } : {};
      default:
        throw new Error(`unexpected request: ${name}`);
    }
  }
}

function idOf({ caller_id: user, context }: Item): string {
  return sessionId({ callerId: user?.S ?? "", context: context?.S ?? "" });
}

function refuseUnlessConditionHolds(request: Request, item: Item | undefined): void {
  if (request.ConditionExpression === undefined) return;
  const checked = { ...request };
  const problem = validateExpressions(checked);
  if (problem) throw new Error(problem);
  if (!checkConditional(checked, item)) return;
  throw Object.assign(new Error("The conditional request failed"), { name: "ConditionalCheckFailedException" });
}
