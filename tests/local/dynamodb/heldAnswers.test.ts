import { DeleteItemCommand, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { refusal } from "../../support/refusal";
import { item, key, startTable } from "./tableSetUp";

describe("held answers", () => {
  it("are sent when they are released, while the write has already happened", async () => {
    const { tables, dynamodb, create } = await startTable();
    const { id } = await create();
    tables.holdAnswers();
    let isAnswered = false;
    const put = dynamodb.send(new PutItemCommand({ TableName: id, Item: item })).then(() => (isAnswered = true));
    await tables.untilHeld();
    expect(tables.heldAnswers()).to.equal(1);
    const read = await dynamodb.send(new GetItemCommand({ TableName: id, Key: key, ConsistentRead: true }));
    expect(read.Item).to.deep.equal(item);
    expect(isAnswered).to.equal(false);
    tables.releaseAnswers();
    await put;
    expect(tables.heldAnswers()).to.equal(0);
    await dynamodb.send(new DeleteItemCommand({ TableName: id, Key: key }));
  });

  it("are those of later writes, where the first ones are still to be answered", async () => {
    const { tables, dynamodb, create } = await startTable();
    const { id } = await create();
    tables.holdAnswers(1);
    await dynamodb.send(new PutItemCommand({ TableName: id, Item: item }));
    expect(tables.heldAnswers()).to.equal(0);
    const deletion = dynamodb.send(new DeleteItemCommand({ TableName: id, Key: key }));
    await tables.untilHeld();
    tables.releaseAnswers();
    await deletion;
  });

  it("end with their connections when the tables are closed", async () => {
    const { tables, dynamodb, create } = await startTable();
    const { id } = await create();
    tables.holdAnswers();
    const put = refusal(dynamodb.send(new PutItemCommand({ TableName: id, Item: item })));
    await tables.untilHeld();
    await tables.close();
    expect(await put).to.be.instanceOf(Error);
  });

  it("do no harm when their client has hung up", async () => {
    const { tables, dynamodb, create } = await startTable();
    const { id } = await create();
    tables.holdAnswers();
    const hungUp = new AbortController();
    const put = dynamodb.send(new PutItemCommand({ TableName: id, Item: item }), { abortSignal: hungUp.signal });
    await tables.untilHeld();
    hungUp.abort();
    await refusal(put);
    tables.releaseAnswers();
    const read = await dynamodb.send(new GetItemCommand({ TableName: id, Key: key }));
    expect(read.Item).to.deep.equal(item);
  });
});
