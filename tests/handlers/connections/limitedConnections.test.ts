import { expect } from "chai";
import { limitedConnections } from "../../../handlers/connections/limitedConnections";
import { MemoryConnections } from "../../support/boundaries";

describe("limitedConnections", () => {
  it("sends no more requests of all kinds at a time than the SDK has sockets", async () => {
    let [underway, most] = [0, 0];
    const during = async <T>(answer: T): Promise<T> => {
      most = Math.max(most, ++underway);
      await new Promise(setImmediate);
      underway--;
      return answer;
    };
    const connections = limitedConnections({
      post: () => during({ result: "delivered" } as const),
      isGone: () => during(true),
      close: () => during("closed" as const),
    });
    const requests = Array.from({ length: 40 }, (_, i) => [
      connections.post(`c${i}`, "hello"),
      connections.isGone(`c${i}`),
      connections.close(`c${i}`),
    ]);
    const answers = await Promise.all(requests.flat());
    expect(answers.slice(0, 3)).to.deep.equal([{ result: "delivered" }, true, "closed"]);
    expect(most).to.equal(50);
  });

  it("passes on what fails, and goes on", async () => {
    const memory = new MemoryConnections();
    memory.closeFails = true;
    const connections = limitedConnections(memory);
    expect(await connections.close("c1").catch((error: Error) => error.message)).to.equal("close fails");
    expect(await connections.post("c1", "hello")).to.deep.equal({ result: "delivered" });
  });
});
