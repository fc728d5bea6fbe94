import type * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import type { ResolvedArgs } from "../../../components/args/args";
import { Publisher } from "../../../components/ingress/publisher";
import { SessionTable } from "../../../components/data/sessionTable";
import { runPart, runRelay } from "../../support/relayRun";

describe("protectData", () => {
  it("guards the table, the topic and every queue, and nothing that holds no data", async () => {
    const { guarded, inputs } = await runRelay({ protectData: true });
    expect(guarded).to.deep.equal([
      "relay-dead-letter-queue",
      "relay-queue",
      "relay-subscription-dead-letter-queue",
      "relay-table",
      "relay-topic",
    ]);
    expect(inputs("aws:dynamodb/table:Table", "relay-table")).to.deep.include({
      deletionProtectionEnabled: true,
      pointInTimeRecovery: { enabled: true },
    });
  });

  it("guards the topic and the queues where the table is the user's", async () => {
    const calls = { "aws:dynamodb/getTable:getTable": () => existingTable };
    const { guarded } = await runPart(stores, { protectData: true, tableName: "sessions" }, { calls });
    expect(guarded).to.deep.equal([
      "relay-dead-letter-queue",
      "relay-queue",
      "relay-subscription-dead-letter-queue",
      "relay-topic",
    ]);
  });

  it("leaves restoring to pointInTimeRecovery where that is given", async () => {
    const { guarded, inputs } = await runPart(stores, { pointInTimeRecovery: true });
    expect(guarded).to.deep.equal([]);
    const table = inputs("aws:dynamodb/table:Table", "relay-table");
    expect(table.pointInTimeRecovery).to.deep.equal({ enabled: true });
    expect(table).not.to.have.property("deletionProtectionEnabled");
  });

  it("registers the same in a preview", async () => {
    const { guarded } = await runPart(stores, { protectData: true }, { preview: true });
    expect(guarded).to.have.lengthOf(5);
  });
});

/** The parts that hold data. */
function stores(args: ResolvedArgs, opts: pulumi.ComponentResourceOptions): unknown {
  return [new SessionTable("relay", args, opts), new Publisher("relay", args, opts)];
}

const existingTable = {
  name: "sessions",
  arn: "arn:aws:dynamodb:eu-west-1:111122223333:table/sessions",
  hashKey: "caller_id",
  rangeKey: "context",
  attributes: ["caller_id", "context", "connection_id"].map((name) => ({ name, type: "S" })),
  globalSecondaryIndexes: [{ name: "connection", hashKey: "connection_id" }],
  ttl: { attributeName: "expiration_date", enabled: true },
};
