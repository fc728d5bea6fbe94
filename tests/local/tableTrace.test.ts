import { expect } from "chai";
import { tableTraceLabel } from "../../local/tableTrace";

describe("the label of a request to the session table", () => {
  const label = (operation: string, request: object, body = "{}", status = 200) =>
    tableTraceLabel(operation, Buffer.from(JSON.stringify(request)), status, body);
  const key = (context: string) => ({ caller_id: { S: "user#42" }, context: { S: context } });

  it("tells a session, a connection and a block apart by their sort key", () => {
    expect(label("PutItem", { Item: key("chat#7") })).to.equal("save session: ok");
    expect(label("PutItem", { Item: key("#connection#abc=") })).to.equal("save connection: ok");
    expect(label("DeleteItem", { Key: key("#connection#abc=") })).to.equal("delete connection: ok");
    expect(label("GetItem", { Key: key("#block") })).to.equal("read block: none found");
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
