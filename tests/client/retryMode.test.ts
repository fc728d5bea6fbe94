import { expect } from "chai";
import { SUBPROTOCOLS } from "../../protocol";
import { ClientSetUp } from "./clientSetUp";
import type { FakeSocket } from "../support/fakeSocket";

describe("the client in retry mode", () => {
  it("is connected as soon as the socket is open, and sends no request", () => {
    const setUp = new ClientSetUp();
    const socket = connectedRaw(setUp);
    expect(setUp.states.at(-1)).to.include({ state: "connected", delivery: "retry" });
    expect(socket.sent).to.deep.equal([]);
  });

  it("passes on each message unchanged, in any format", async () => {
    const given: unknown[] = [];
    const setUp = new ClientSetUp({ onMessage: (message) => void given.push(message) });
    const socket = connectedRaw(setUp);
    const texts = ["hello", '{"type":"message","seq":1}', '{"type":"superseded"}', '{"type":"pong"}', "[1,2]", "null"];
    for (const text of texts) socket.receiveData(text);
    expect(given).to.deep.equal(texts.map((body) => ({ body })));
    expect(setUp.client.state).to.equal("connected");
    expect(setUp.client.cursor).to.equal(undefined);
    await setUp.clock.advance(10_000);
    expect(socket.take("ack")).to.deep.equal([]);
  });

  it("recognizes the response to a ping, even after a message", async () => {
    const setUp = new ClientSetUp();
    const socket = connectedRaw(setUp);
    await setUp.clock.advance(30_000);
    expect(socket.take("ping")).to.have.lengthOf(1);
    for (const text of ["null", '{"type":"pong"}', '{"type":"pong"}']) socket.receiveData(text);
    expect(setUp.messages).to.deep.equal(["null", '{"type":"pong"}']);
  });

  it("reports a ping that the gateway refused, and counts it as answered", async () => {
    const setUp = new ClientSetUp();
    const socket = connectedRaw(setUp);
    await setUp.clock.advance(30_000);
    socket.receive({ message: "Limit Exceeded", connectionId: "c1", requestId: "r1" });
    expect(setUp.errorCodes).to.deep.equal(["unavailable"]);
    expect(setUp.messages).to.deep.equal([]);
    await setUp.clock.advance(10_000);
    expect(setUp.client.state).to.equal("connected");
  });

  it("replaces a dead connection, and reconnects", async () => {
    const setUp = new ClientSetUp();
    connectedRaw(setUp);
    await setUp.clock.advance(40_500);
    expect(setUp.sockets.all).to.have.lengthOf(2);
    setUp.socket.accept(SUBPROTOCOLS.raw);
    expect(setUp.client.state).to.equal("connected");
  });

  it("passes on messages that had arrived before close: they are not sent again", async () => {
    const waiting: (() => void)[] = [];
    const setUp: ClientSetUp = new ClientSetUp({
      onMessage: ({ body }) => {
        setUp.messages.push(body);
        return new Promise((resolve) => waiting.push(resolve));
      },
    });
    const socket = connectedRaw(setUp);
    for (const text of ["a", "b"]) socket.receiveData(text);
    setUp.client.close();
    waiting[0]?.();
    await setUp.clock.advance(0);
    expect(setUp.messages).to.deep.equal(["a", "b"]);
  });

  it("switches to replay mode when the relay does", async () => {
    const setUp = new ClientSetUp();
    connectedRaw(setUp).end();
    await setUp.clock.advance(1_000);
    setUp.accepted();
    expect(setUp.states.at(-1)).to.include({ state: "connected", delivery: "replay" });
  });
});

function connectedRaw(setUp: ClientSetUp): FakeSocket {
  setUp.client.connect();
  setUp.socket.accept(SUBPROTOCOLS.raw);
  return setUp.socket;
}
