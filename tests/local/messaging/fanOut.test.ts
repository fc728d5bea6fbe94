import { expect } from "chai";
import { FanOut } from "../../../local/messaging/fanOut";
import type { SnsStore } from "../../../local/messaging/fauxqs";
import type { PublishEntry } from "../../../local/messaging/publishRequests";
import { Trace } from "../../../local/trace/trace";
import { refusal } from "../../support/refusal";

describe("the fan-out of a batch", () => {
  const topicArn = "arn:aws:sns:us-east-1:000000000000:topic";
  const published: PublishEntry[] = ["a", "b"].map((message) => ({ message, attributes: {}, messageGroupId: message }));

  /** The groups that the announced messages got. */
  async function announce(...bodies: string[]): Promise<(string | undefined)[]> {
    const snsStore = { listSubscriptionsByTopic: () => [], getTopic: () => undefined } as unknown as SnsStore;
    const fanOut = new FanOut(
      { snsStore, queueByArn: () => undefined },
      () => Promise.reject(new Error("no queue is subscribed")),
      new Trace(),
      () => undefined,
    );
    const groups: (string | undefined)[] = [];
    await fanOut.publishing(topicArn, published, () => {
      for (const body of bodies) {
        fanOut.begin({ topicArn, body, messageId: "m", messageAttributes: {} });
        groups.push(fanOut.messageGroupId);
      }
    });
    return groups;
  }

  it("gives each announced message its own entry's group", async () => {
    expect(await announce("a", "b")).to.deep.equal(["a", "b"]);
  });

  for (const [what, bodies] of [
    ["after one that was left out", ["b"]],
    ["that was not published", ["a", "b", "c"]],
  ] as const) {
    it(`fails for a message ${what}, instead of giving it another one's entry`, async () => {
      expect((await refusal(announce(...bodies))).message).to.match(
        /announces a message to .*:topic that is not the next one published/,
      );
    });
  }
});
