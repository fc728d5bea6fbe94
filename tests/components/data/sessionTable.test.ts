import { expect } from "chai";
import type { WebsocketRelayArgs } from "../../../components";
import { type ResolvedArgs, resolveArgs } from "../../../components/args/args";
import { SessionTable } from "../../../components/data/sessionTable";
import { record, valueOf } from "../../support/recorder";
import { auth, type Run, runPart, runRelay } from "../../support/relayRun";

describe("the session table", () => {
  let run: Run;

  before(async () => {
    run = await runTable({ tags: { team: "chat" } });
  });

  it("keys the table by user and context, finds by connection, expires by expiration_date and bills by request", () => {
    expect(run.inputs("aws:dynamodb/table:Table", "relay-table")).to.deep.equal({
      billingMode: "PAY_PER_REQUEST",
      hashKey: "caller_id",
      rangeKey: "context",
      attributes: [
        { name: "caller_id", type: "S" },
        { name: "context", type: "S" },
        { name: "connection_id", type: "S" },
      ],
      globalSecondaryIndexes: [
        {
          name: "connection",
          keySchemas: [{ attributeName: "connection_id", keyType: "HASH" }],
          projectionType: "KEYS_ONLY",
        },
      ],
      ttl: { attributeName: "expiration_date", enabled: true },
      pointInTimeRecovery: { enabled: false },
      serverSideEncryption: { enabled: false },
      tags: { team: "chat" },
    });
  });

  it("has no index by connection where connectionIndex is false", async () => {
    const table = (await runTable({ connectionIndex: false })).inputs("aws:dynamodb/table:Table", "relay-table");
    expect(table).to.deep.include({
      attributes: [
        { name: "caller_id", type: "S" },
        { name: "context", type: "S" },
      ],
      globalSecondaryIndexes: [],
    });
  });

  it("finds connections by when their tokens end only where sessions end with their token", async () => {
    const ending = await runTable({ auth: { ...auth, endSessionWithToken: true } });
    const tableOf = ({ inputs }: Run) => inputs("aws:dynamodb/table:Table", "relay-table") as unknown as TableInputs;
    const [table, plain] = [tableOf(ending), tableOf(run)];
    expect(table.attributes).to.deep.equal([
      ...plain.attributes,
      { name: "expiry_shard", type: "S" },
      { name: "token_expires_at", type: "N" },
    ]);
    expect(table.globalSecondaryIndexes).to.deep.equal([
      ...plain.globalSecondaryIndexes,
      {
        name: "token-expiry",
        keySchemas: [
          { attributeName: "expiry_shard", keyType: "HASH" },
          { attributeName: "token_expires_at", keyType: "RANGE" },
        ],
        projectionType: "KEYS_ONLY",
      },
    ]);
  });

  describe("of the user's own", () => {
    const found = {
      name: "sessions",
      arn: "arn:aws:dynamodb:eu-west-1:111122223333:table/sessions",
      hashKey: "caller_id",
      rangeKey: "context",
      attributes: ["caller_id", "context", "connection_id"].map((name) => ({ name, type: "S" })),
      globalSecondaryIndexes: [{ name: "connection", hashKey: "connection_id" }],
      ttl: { attributeName: "expiration_date", enabled: true },
    };
    const asked: unknown[] = [];
    const calls = {
      "aws:dynamodb/getTable:getTable": (inputs: object) => {
        asked.push(inputs);
        return found;
      },
    };

    it("is looked up by its name and used in the place of the relay's own", async () => {
      const { registrations, variables, statements, relay } = await runRelay({ tableName: "sessions" }, { calls });
      expect(asked).to.deep.equal([{ name: "sessions" }]);
      expect(registrations.filter(({ type }) => type === "aws:dynamodb/table:Table")).to.deep.equal([]);
      expect(relay.sessionTable.table).to.equal(undefined);
      expect(await valueOf(relay.tableName)).to.equal("sessions");
      for (const name of ["relay-connect", "relay-disconnect", "relay-deliver"]) {
        expect(variables(name)).to.have.property("TABLE_NAME", "sessions");
        const tables = statements(`${name}-policy`).filter(({ Action }) =>
          Action.some((one) => /^dynamodb:/.test(one)),
        );
        expect(tables.flatMap(({ Resource }) => Resource).filter((arn) => !arn.startsWith(found.arn))).to.deep.equal(
          [],
        );
      }
    });

    it("needs no index by connection where connectionIndex is false", async () => {
      const plain = { ...found, attributes: found.attributes.slice(0, 2), globalSecondaryIndexes: [] };
      const withoutIndex = { "aws:dynamodb/getTable:getTable": () => plain };
      const args = { tableName: "sessions", connectionIndex: false };
      const { relay } = await runRelay(args, { calls: withoutIndex });
      expect(await valueOf(relay.tableName)).to.equal("sessions");
    });

    it("is looked up in a preview too", async () => {
      let table!: SessionTable;
      const program = (args: ResolvedArgs) => (table = new SessionTable("relay", args));
      await runPart(program, { tableName: "sessions" }, { calls, preview: true });
      expect(await valueOf(table.tableArn)).to.equal(found.arn);
    });

    it("fails the program where it has other keys, saying which it needs", async () => {
      const other = { "aws:dynamodb/getTable:getTable": () => ({ ...found, rangeKey: "" }) };
      const program = () => new SessionTable("relay", resolveArgs({ auth, tableName: "sessions" }));
      // No registration waits for it: all of its errors are seen.
      const { errors } = await record(program, { calls: other, awaitedErrors: Infinity });
      expect(errors.map(String).join("\n")).to.include("tableName: ").and.to.include("caller_id (S), context (S)");
    });
  });
});

function runTable(args: Partial<WebsocketRelayArgs>): Promise<Run> {
  return runPart((resolved, opts) => new SessionTable("relay", resolved, opts), args);
}

interface TableInputs {
  attributes: object[];
  globalSecondaryIndexes: object[];
}
