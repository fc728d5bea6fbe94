import { expect } from "chai";
import { answer, bodies, ClientSetUp } from "./clientSetUp";

const says = (text: string) => ({ message: text, connectionId: "L0SM9cOFvHcCIhw=", requestId: "L0SOUFQlvHcFjEA=" });

describe("the client, on an error of the gateway", () => {
  it("sends a throttled resume again after growing pauses", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000 });
    setUp.randomly = 1;
    setUp.client.connect();
    const { socket } = setUp;
    let asked = 0;
    socket.onSent = () => {
      asked++;
      socket.receive(says("Too Many Requests"));
    };
    socket.accept();
    await setUp.clock.advance(60_000);
    // The first pause is 1 s; each further one is the sum of two that double: 3, 6, 12, 24 s.
    expect(asked).to.equal(6);
    expect(setUp.errors).to.deep.equal([]);

    socket.onSent = () => socket.receive(...answer({ first: 1, through: 2 }));
    await setUp.clock.advance(120_000);
    expect(setUp.messages).to.deep.equal(bodies(1, 2));
    expect(setUp.sockets.all).to.have.lengthOf(1);
  });

  it("takes it for the answer to a ping that is under way, and repeats nothing", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000 });
    const socket = setUp.connected();
    setUp.client.wake();
    expect(socket.take("ping")).to.have.lengthOf(1);
    socket.receive(says("Internal server error"));
    await setUp.clock.advance(60_000);
    expect(socket.sent).to.deep.equal([]);
    expect(setUp.client.state).to.equal("connected");
  });

  for (const text of ["Forbidden", "Internal server error"]) {
    it(`reports ${text} once per connection, and stays connected`, async () => {
      const setUp = new ClientSetUp({ heartbeatIntervalMs: 30_000 });
      for (let connection = 1; connection <= 2; connection++) {
        if (connection === 1) setUp.connected();
        else setUp.accepted();
        for (let frame = 0; frame < 50; frame++) {
          await setUp.clock.advance(30_000);
          setUp.socket.receive(says(text));
        }
        expect(setUp.client.state).to.equal("connected");
        expect(setUp.errorCodes).to.have.lengthOf(connection);
        expect(setUp.errors.at(-1)).to.include({ code: "unavailable" });
        expect(setUp.errors.at(-1)?.message).to.include(text);
        setUp.socket.end();
        await setUp.clock.advance(1_000);
      }
    });
  }
});
