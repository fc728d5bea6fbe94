import type * as aws from "@pulumi/aws";
import { expect } from "chai";
import { spec } from "../../../components/args/spec";
import { ackSeconds } from "../../../components/functions/ackSeconds";

describe("ackSeconds", () => {
  const topic = {} as aws.sns.Topic;
  for (const [name, receiptsTopic, deadLetterExpired, historyRetentionSeconds, expected] of [
    ["with receipts", topic, false, 86_400, 5],
    ["with dead letters of what expires", undefined, true, 86_400, 5],
    ["at the longest retention", undefined, false, 1_209_600, undefined],
    ["at six hours", undefined, false, 21_600, undefined],
    ["just below six hours", undefined, false, 21_599, 1_799],
    ["at an hour", undefined, false, 3_600, 300],
    ["at ten minutes", undefined, false, 600, 60],
    ["at the shortest retention", undefined, false, 300, 60],
  ] as const) {
    it(`is ${expected} ${name}`, () => {
      expect(ackSeconds({ receiptsTopic, deadLetterExpired, historyRetentionSeconds })).to.equal(expected);
    });
  }

  it("is at most a third of the shortest time after which a message gets the receipt waiting", () => {
    const parts = { receiptsTopic: topic, deadLetterExpired: false, historyRetentionSeconds: 86_400 };
    expect(ackSeconds(parts)).to.be.at.most(spec.waitingAfterSeconds.min / 3);
  });
});
