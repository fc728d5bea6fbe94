import { expect } from "chai";
import { tableTrace } from "../../../local/dynamodb/tableTrace";

describe("the label of a request to the session table", () => {
  const label = (operation: string, request: object, body = "{}", status = 200) =>
    tableTrace(operation, Buffer.from(JSON.stringify(request)), status, body)?.label;
  const key = (context: string) => ({ caller_id: { S: "user#42" }, context: { S: context } });

  it("tells a session, a connection and a block apart by their sort key", () => {
    expect(label("PutItem", { Item: key("chat#7") })).to.equal("save session: ok");
    expect(label("PutItem", { Item: key("#connection") })).to.equal("save connection: ok");
    expect(label("DeleteItem", { Key: key("#connection") })).to.equal("delete connection: ok");
    expect(label("GetItem", { Key: key("#block") })).to.equal("read block: none found");
  });

  it("tells the marker of a session that has been connected from the session", () => {
    const marker = { caller_id: { S: "seen#42" }, context: { S: "chat#7" } };
    expect(label("PutItem", { Item: marker })).to.equal("save marker: ok");
    const answer = { Responses: { t: [marker] } };
    expect(label("BatchGetItem", {}, JSON.stringify(answer))).to.equal("read session: none found");
  });

  it("tells a row that is left to superseded connections from a session", () => {
    const connections = { M: { "superseded=": { M: {} } } };
    const row = { ...key("chat#7"), connections };
    expect(label("PutItem", { Item: row })).to.equal("clear session: ok");
    expect(label("PutItem", { Item: { ...row, connection_id: { S: "newest=" } } })).to.equal("save session: ok");
  });

  it("counts what was found", () => {
    expect(label("Query", {}, '{"Items":[{},{}]}')).to.equal("find session: 2 found");
    expect(label("BatchGetItem", {}, '{"Responses":{"t":[{}]}}')).to.equal("read session: 1 found");
  });

  it("names a failure, and a condition that did not hold", () => {
    const failure = (type: string) => JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}` });
    const put = { Item: key("chat#7") };
    expect(label("PutItem", put, failure("ConditionalCheckFailedException"), 400)).to.equal(
      "save session: refused by its condition",
    );
    expect(label("PutItem", put, failure("AccessDeniedException"), 400)).to.equal(
      "save session: failed, AccessDeniedException",
    );
  });

  it("is none for what is no part of the flow", () => {
    expect(label("DescribeTable", {})).to.equal(undefined);
  });
});

describe("a request to the history table", () => {
  const traced = (operation: string, request: object, body = "{}") => {
    const seen = tableTrace(operation, Buffer.from(JSON.stringify(request)), 200, body);
    return `${seen?.table}: ${seen?.label}`;
  };
  const key = (entry: string) => ({ session: { S: "5e" }, entry: { S: entry } });
  const number = (seq: number) => `log#${String(seq).padStart(16, "0")}`;
  const query = (from: number, to: number, ScanIndexForward: boolean) => ({
    ExpressionAttributeValues: { ":session": { S: "5e" }, ":first": { S: number(from) }, ":last": { S: number(to) } },
    ScanIndexForward,
  });
  const update = (entry: string, UpdateExpression: string) => ({ Key: key(entry), UpdateExpression });

  const meanings: [what: string, operation: string, request: object, label: string][] = [
    ["a claim", "PutItem", { Item: key("key#order-1") }, "claim idempotency key: ok"],
    ["a claim that is read", "GetItem", { Key: key("key#order-1") }, "read claim: none found"],
    ["an append", "PutItem", { Item: { ...key(number(5)), count: { N: "1" } } }, "append number 5: ok"],
    [
      "an append of several",
      "PutItem",
      { Item: { ...key(number(5)), count: { N: "3" } } },
      "append numbers 5 to 7: ok",
    ],
    ["a segment that is sealed", "UpdateItem", update(number(5), "REMOVE messages"), "change number 5: ok"],
    ["a segment that goes", "DeleteItem", { Key: key(number(5)) }, "delete number 5: ok"],
    ["an acknowledgement", "UpdateItem", update("cursor", "SET acknowledged = :cursor"), "acknowledge: ok"],
    ["a report", "UpdateItem", update("cursor", "SET settled = :cursor"), "settle: ok"],
    ["the cursor", "GetItem", { Key: key("cursor") }, "read cursor: none found"],
    ["the tail", "Query", query(0, Number.MAX_SAFE_INTEGER, false), "read the newest number: ok"],
    ["a segment and those before it", "Query", query(0, 7, false), "read back from number 7: ok"],
    ["a page", "Query", query(5, 9_999_999_999_999_998, true), "read from number 5 on: ok"],
    ["the index", "Query", { IndexName: "due" }, "find due sessions: ok"],
  ];
  for (const [what, operation, request, label] of meanings) {
    it(`is told as ${what}`, () => expect(traced(operation, request)).to.equal(`HistoryDB: ${label}`));
  }

  it("names no idempotency key, which is the backend's own", () => {
    expect(traced("PutItem", { Item: key("key#secret") })).not.to.include("secret");
  });

  it("is none of the session table's: its index, and its keys", () => {
    expect(traced("Query", { IndexName: "connection" })).to.equal("WSSessionDB: find session: ok");
    expect(traced("Query", { ExpressionAttributeValues: { ":user": { S: "user#log#1" } } })).to.match(/^WSSessionDB/);
  });
});
