import { createServer, type Server } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { Item } from "./capacity";

/** A table's items by partition and sort key. */
interface StubTable {
  keys: [hash: string, range: string];
  description: object;
  items: Map<string, Map<string, Item>>;
}

/** A parsed request, with what dynalite's parsers add to it. */
interface Request {
  TableName: string;
  Key?: Item;
  Item?: Item;
  Limit?: number;
  ScanIndexForward?: boolean;
  ProjectionExpression?: string;
  ConditionExpression?: string;
  KeyConditionExpression?: string;
  FilterExpression?: string;
  UpdateExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Item;
  RequestItems?: Record<string, { Keys: Item[] }>;
  KeySchema?: { AttributeName: string }[];
  _condition?: Parsed;
  _keyCondition?: Parsed;
  _filter?: Parsed;
  _updates?: Parsed;
  _projection?: Parsed;
}
interface Parsed {
  expression: object;
  paths: object;
}

type Action = (store: object, request: Request, done: (error: Error | null, answer: object) => void) => void;
interface Parser {
  parse(expression: string, options: { context: object }): Parsed;
}

// DynamoDB's expressions are evaluated by dynalite's own code, and its storage, which takes most of its time, is left out.
const actions = {
  PutItem: require("dynalite/actions/putItem") as Action,
  UpdateItem: require("dynalite/actions/updateItem") as Action,
  DeleteItem: require("dynalite/actions/deleteItem") as Action,
  GetItem: require("dynalite/actions/getItem") as Action,
};
const expressions = require("dynalite/db") as {
  matchesExprFilter(item: Item, expression: object): boolean;
  compare: unknown;
};
const parsers = {
  condition: require("dynalite/db/conditionParser") as Parser,
  update: require("dynalite/db/updateParser") as Parser,
  projection: require("dynalite/db/projectionParser") as Parser,
};

/** DynamoDB in memory, for throughput: it answers each request after the same time, whatever the request costs a table. */
export function tableStub(answerMs: number): Server {
  const tables = new Map<string, StubTable>();
  const server = createServer((request, response) => {
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    buffer(request)
      .then(async (body) => {
        const [answer] = await Promise.all([
          answerTo(tables, operation, JSON.parse(body.toString()) as Request).then(
            (value) => ({ status: 200, value }),
            (error: Failure) => ({ status: 400, value: error.body ?? { message: String(error.stack) } }),
          ),
          delay(answerMs),
        ]);
        response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.0" });
        response.end(JSON.stringify(answer.value));
      })
      .catch(() => response.destroy());
  });
  // An idle keep-alive connection must not close between two rounds.
  server.keepAliveTimeout = 60_000;
  return server;
}

/** An error of dynalite: `body` is its answer. */
interface Failure extends Error {
  body?: object;
}

async function answerTo(tables: Map<string, StubTable>, operation: string, request: Request): Promise<object> {
  if (operation === "CreateTable") return createTable(tables, request);
  if (operation === "BatchGetItem") return batchGet(tables, request);
  if (operation === "Query") return query(tables, request);
  const action = actions[operation as keyof typeof actions] as Action | undefined;
  if (!action) throw new Error(`${operation} is no operation of the stub; allowed: ${Object.keys(actions)}, Query`);
  return new Promise((resolve, reject) => {
    action(storeOf(tables, request.Key ?? request.Item ?? {}), withParsed(request), (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

function createTable(tables: Map<string, StubTable>, request: Request): object {
  const [hash, range] = (request.KeySchema ?? []).map(({ AttributeName }) => AttributeName);
  tables.set(request.TableName, { keys: [hash ?? "", range ?? ""], description: request, items: new Map() });
  return { TableDescription: { TableName: request.TableName, TableStatus: "ACTIVE" } };
}

async function batchGet(tables: Map<string, StubTable>, { RequestItems = {} }: Request): Promise<object> {
  const Responses: Record<string, Item[]> = {};
  for (const [TableName, { Keys }] of Object.entries(RequestItems)) {
    const table = tableOf(tables, TableName);
    Responses[TableName] = Keys.map((key) => itemsOf(table, key).get(rangeOf(table, key))).filter(
      (item) => item !== undefined,
    );
  }
  return Promise.resolve({ Responses, UnprocessedKeys: {} });
}

/** A query of the table, whose range keys are compared as text. */
function query(tables: Map<string, StubTable>, given: Request): object {
  const request = withParsed(given);
  const table = tableOf(tables, request.TableName);
  const { _keyCondition, _filter, Limit = Infinity, ScanIndexForward = true } = request;
  // Only one of the values is a partition's key.
  const partition = Object.values(request.ExpressionAttributeValues ?? {})
    .map((value) => table.items.get(JSON.stringify(value)))
    .find((items) => items !== undefined);
  const sorted = [...(partition ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
  if (!ScanIndexForward) sorted.reverse();
  const found = sorted.filter((item) => matches(item, _keyCondition));
  const page = found.slice(0, Limit);
  const last = page.at(-1);
  const [hashKey, rangeKey] = table.keys;
  const Items = page.filter((item) => matches(item, _filter));
  return {
    Items,
    Count: Items.length,
    ScannedCount: page.length,
    ...(found.length > page.length &&
      last && { LastEvaluatedKey: { [hashKey]: last[hashKey], [rangeKey]: last[rangeKey] } }),
  };
}

function matches(item: Item, parsed: Parsed | undefined): boolean {
  return !parsed || expressions.matchesExprFilter(item, parsed.expression);
}

/** The part of dynalite's store that its actions use. Each action reads and writes one item, that of `key`. */
function storeOf(tables: Map<string, StubTable>, key: Item): object {
  return {
    options: { maxItemSize: 409_600 },
    getTable: (name: string, done: (error: Error | null, table: object) => void) =>
      done(null, tableOf(tables, name).description),
    getItemDb: (name: string) => {
      const table = tableOf(tables, name);
      const [items, range] = [itemsOf(table, key), rangeOf(table, key)];
      return {
        lock: (_key: string, locked: (release: (done: unknown) => unknown) => void) => locked((done) => done),
        get: (_key: string, done: (error: Error | null, item?: Item) => void) => {
          const item = items.get(range);
          done(item ? null : Object.assign(new Error("not found"), { name: "NotFoundError" }), item);
        },
        put: (_key: string, item: Item, done: () => void) => {
          items.set(range, item);
          done();
        },
        del: (_key: string, done: () => void) => {
          items.delete(range);
          done();
        },
      };
    },
  };
}

function tableOf(tables: Map<string, StubTable>, name: string): StubTable {
  const table = tables.get(name);
  if (!table) throw new Error(`${name} is no table of the stub`);
  return table;
}

function itemsOf(table: StubTable, key: Item): Map<string, Item> {
  const partition = JSON.stringify(key[table.keys[0]]);
  const items = table.items.get(partition) ?? new Map<string, Item>();
  table.items.set(partition, items);
  return items;
}

function rangeOf({ keys: [, range] }: StubTable, key: Item): string {
  return key[range]?.S ?? JSON.stringify(key[range]);
}

function withParsed(request: Request): Request {
  const context = {
    attrNames: request.ExpressionAttributeNames,
    attrVals: request.ExpressionAttributeValues,
    unusedAttrNames: {},
    unusedAttrVals: {},
    isReserved: () => false,
    compare: expressions.compare,
  };
  const parsed = (parser: Parser, expression: string | undefined, more: object = {}) =>
    expression === undefined ? undefined : parser.parse(expression, { context: { ...context, ...more } });
  return {
    ...request,
    _updates: parsed(parsers.update, request.UpdateExpression),
    _condition: parsed(parsers.condition, request.ConditionExpression),
    _keyCondition: parsed(parsers.condition, request.KeyConditionExpression, { isKeyCondition: true }),
    _filter: parsed(parsers.condition, request.FilterExpression),
    _projection: parsed(parsers.projection, request.ProjectionExpression),
  };
}
