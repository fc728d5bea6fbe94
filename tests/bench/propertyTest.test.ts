import { expect } from "chai";
import { measurePropertyTest } from "../../bench/propertyTest";

describe("the property test's volume", () => {
  it("is the number of played messages, with the count of each fault", async () => {
    const asked: number[] = [];
    const measured = await measurePropertyTest((messages) => {
      asked.push(messages);
      return Promise.resolve({ messages: messages + 1, faults: { crashes: 7 } });
    }, 100);
    expect(asked).to.deep.equal([100]);
    expect(measured).to.deep.include({ messages: 101, faults: { crashes: 7 } });
    expect(measured.messagesPerSecond).to.be.above(0);
  });

  it("is not reported if a message is lost", async () => {
    const lost = () => Promise.reject(new Error("message 5 is lost"));
    expect(await measurePropertyTest(lost, 100).catch(String)).to.equal("Error: message 5 is lost");
  });
});
