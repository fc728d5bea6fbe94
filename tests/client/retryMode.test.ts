import { expect } from "chai";
import { SUBPROTOCOLS } from "../../protocol";
import { ClientSetUp } from "./clientSetUp";
import type { FakeSocket } from "../support/fakeSocket";

describe("the client of a relay in retry mode", () => {
  it("is connected as soon as it is open, and asks for nothing", () => {
    const setUp = new ClientSetUp();
    const socket = connectedRaw(setUp);
    expect(setUp.states.at(-1)).to.include({ state: "connected", delivery: "retry" });
    expect(socket.sent).to.deep.equal([]);
  });

  it("hands over what comes, as it is, whatever it looks like", async () => {
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

  it("takes for the answer to a ping what answers one, also after a message", async () => {
    const setUp = new ClientSetUp();
    const socket = connectedRaw(setUp);
    await setUp.clock.advance(30_000);
    expect(socket.take("ping")).to.have.lengthOf(1);
    for (const text of ["null", '{"type":"pong"}', '{"type":"pong"}']) socket.receiveData(text);
    expect(setUp.messages).to.deep.equal(["null", '{"type":"pong"}']);
  });

  it("reports a ping that the gateway refused, which answers it all the same", async () => {
    const setUp = new ClientSetUp();
    const socket = connectedRaw(setUp);
    await setUp.clock.advance(30_000);
    socket.receive({ message: "Limit Exceeded", connectionId: "c1", requestId: "r1" });
    expect(setUp.errorCodes).to.deep.equal(["unavailable"]);
    expect(setUp.messages).to.deep.equal([]);
    await setUp.clock.advance(10_000);
    expect(setUp.client.state).to.equal("connected");
  });

  it("replaces a connection that is dead, and comes back", async () => {
    const setUp = new ClientSetUp();
    connectedRaw(setUp);
    await setUp.clock.advance(40_500);
    expect(setUp.sockets.all).to.have.lengthOf(2);
    setUp.socket.accept(SUBPROTOCOLS.raw);
    expect(setUp.client.state).to.equal("connected");
  });

  it("hands over what has come after it is closed too: nobody would send it again", async () => {
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

  it("becomes one of replay where the relay has been changed to it", async () => {
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
