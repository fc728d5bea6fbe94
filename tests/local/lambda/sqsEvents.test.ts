import type { SQSEvent } from "aws-lambda";
import { expect } from "chai";
import { failedItems } from "../../../local/lambda/sqsEvents";
import { failure } from "./mappingFixture";

describe("the answer of a function with ReportBatchItemFailures", () => {
  const event = { Records: [{ messageId: "a" }, { messageId: "b" }] } as SQSEvent;
  const cases: [claim: string, payload: unknown, failed: string[] | "all"][] = [
    ["null is a success", null, []],
    ["undefined is a success", undefined, []],
    ["an empty object is a success", {}, []],
    ["an empty list is a success", { batchItemFailures: [] }, []],
    ["a null list is a success", { batchItemFailures: null }, []],
    ["a list fails what it names", { batchItemFailures: [{ itemIdentifier: "b" }] }, ["b"]],
    ["an unknown id fails all", { batchItemFailures: [{ itemIdentifier: "b" }, { itemIdentifier: "c" }] }, "all"],
    ["an empty id fails all", { batchItemFailures: [{ itemIdentifier: "" }] }, "all"],
    ["a null id fails all", { batchItemFailures: [{ itemIdentifier: null }] }, "all"],
    ["a misspelt key fails all", { batchItemFailures: [{ ItemIdentifier: "b" }] }, "all"],
    ["a null item fails all", { batchItemFailures: [null] }, "all"],
    ["a list that is none fails all", { batchItemFailures: "b" }, "all"],
    ["a text fails all", "ok", "all"],
    ["a bare list fails all", [], "all"],
  ];
  for (const [claim, payload, failed] of cases) {
    it(claim, () => {
      const result = failedItems(event, { payload });
      expect(result === "all" ? "all" : [...result]).to.deep.equal(failed);
    });
  }

  it("an error fails all", () => expect(failedItems(event, failure)).to.equal("all"));
});
