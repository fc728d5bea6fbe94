import { expect } from "chai";
import { SUBPROTOCOLS } from "../../protocol";
import { answer, bodies, ClientSetUp, EPOCH, message } from "./clientSetUp";

const says = (text: string) => ({ message: text, connectionId: "L0SM9cOFvHcCIhw=", requestId: "L0SOUFQlvHcFjEA=" });

describe("the client, on an error of the gateway", () => {
  it("counts a throttled ping as answered, and reports no error", async () => {
    for (const subprotocol of [SUBPROTOCOLS.v1, SUBPROTOCOLS.raw]) {
      const setUp = new ClientSetUp();
      setUp.client.connect();
      const { socket } = setUp;
      socket.accept(subprotocol);
      if (subprotocol === SUBPROTOCOLS.v1) socket.receive(...answer({ first: 1, through: 0 }));
      socket.sent.length = 0;
      for (let ping = 0; ping < 20; ping++) {
        await setUp.clock.advance(30_000);
        expect(socket.sent).to.deep.equal([{ action: "ping" }]);
        socket.sent.length = 0;
        socket.receive(says("Too Many Requests"));
      }
      expect(setUp.client.state).to.equal("connected");
      expect(setUp.sockets.all).to.have.lengthOf(1);
      expect([setUp.messages, setUp.errors]).to.deep.equal([[], []]);
    }
  });

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

  it("sends a throttled acknowledgement again with the next heartbeat", async () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    socket.receive(message(1));
    await setUp.clock.advance(1_000);
    expect(socket.take("ack")).to.have.lengthOf(1);
    socket.receive(says("Too Many Requests"));
    await setUp.clock.advance(20_000);
    expect(socket.take("ack")).to.deep.equal([]);
    await setUp.clock.advance(10_000);
    socket.receive({ type: "pong" });
    await setUp.clock.advance(1_000);
    expect(socket.take("ack")).to.deep.equal([{ action: "ack", cursor: { epoch: EPOCH, seq: 1 } }]);
    expect(setUp.errors).to.deep.equal([]);
  });

  for (const text of ["Forbidden", "Internal server error"]) {
    it(`reports ${text} once per connection, and stays connected`, async () => {
      const setUp = new ClientSetUp();
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
