import { expect } from "chai";
import { HistoryTable } from "../../../components/data/historyTable";
import { SessionTable } from "../../../components/data/sessionTable";
import { createTableInput } from "../../../local/provision/tableInputs";
import { auth, runPart } from "../../support/relayRun";
import { HISTORY_TABLE, SESSION_TABLE } from "../../support/tableDeclarations";

describe("the tables of the tests of what is stored in them", () => {
  it("have the keys and indexes of the component's", async () => {
    const { inputs } = await runPart(
      (args, opts) => [new SessionTable("relay", args, opts), new HistoryTable("relay", { ...args, tags: {} }, opts)],
      { auth: { ...auth, endSessionWithToken: true }, delivery: "replay" },
    );
    for (const [TableName, declaration] of [
      ["relay-table", SESSION_TABLE],
      ["relay-history-table", HISTORY_TABLE],
    ] as const) {
      const registered = createTableInput(TableName, inputs("aws:dynamodb/table:Table", TableName));
      // Without what is undefined.
      expect(JSON.parse(JSON.stringify(registered))).to.deep.equal({ TableName, ...declaration });
    }
  });
});
