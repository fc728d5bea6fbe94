import { expect } from "chai";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { evaluate, isBodyExpression } from "../../../local/gateway/expression";
import { FrameReader } from "../../../local/gateway/frameReader";
import { isConnectionId, newConnectionId, shortId } from "../../../local/gateway/ids";
import { isPlainTemplate, render } from "../../../local/gateway/template";
import { StageThrottle, TokenBucket } from "../../../local/gateway/throttle";
import { Wire } from "../../../local/gateway/wire";

/** A client's frame: masked, as all of them are. */
function frame(payloadBytes: number, { opcode = 1, fin = true } = {}): Buffer {
  const first = (fin ? 0x80 : 0) | opcode;
  const length =
    payloadBytes < 126
      ? [0x80 | payloadBytes]
      : payloadBytes < 65536
        ? [0x80 | 126, payloadBytes >> 8, payloadBytes & 0xff]
        : [0x80 | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (payloadBytes >> shift) & 0xff)];
  return Buffer.concat([Buffer.from([first, ...length, 1, 2, 3, 4]), Buffer.alloc(payloadBytes, 0xff)]);
}

describe("the gateway's frame reader", () => {
  function lengthsOf(chunks: Buffer[]): number[] {
    const lengths: number[] = [];
    const reader = new FrameReader((payloadBytes) => lengths.push(payloadBytes));
    for (const chunk of chunks) reader.read(chunk);
    return lengths;
  }
  const lengths = [0, 1, 125, 126, 127, 32768, 32769, 65535, 65536, 131072];

  it("reads the payload length of every frame, in each of the three encodings", () => {
    expect(lengthsOf([Buffer.concat(lengths.map((length) => frame(length)))])).to.deep.equal(lengths);
  });

  it("reads the same from chunks of any size, headers split included", () => {
    const bytes = Buffer.concat([0, 125, 126, 300, 65536, 5].map((length) => frame(length)));
    for (const size of [1, 2, 3, 5, 7, 4096]) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      expect(lengthsOf(chunks), `chunks of ${size}`).to.deep.equal([0, 125, 126, 300, 65536, 5]);
    }
  });

  it("reports a frame as soon as its header is complete, before its payload", () => {
    expect(lengthsOf([frame(65536).subarray(0, 13)])).to.deep.equal([]);
    expect(lengthsOf([frame(65536).subarray(0, 14)])).to.deep.equal([65536]);
  });

  it("reports each fragment of a message for itself, with control frames in between", () => {
    const message = [frame(32768, { fin: false }), frame(4, { opcode: 9 }), frame(32768, { opcode: 0 })];
    expect(lengthsOf([Buffer.concat(message)])).to.deep.equal([32768, 4, 32768]);
  });

  it("reads frames without a mask", () => {
    expect(lengthsOf([Buffer.from([0x81, 2, 65, 66, 0x81, 1, 65])])).to.deep.equal([2, 1]);
  });
});

describe("the gateway's wire", () => {
  const sent: string[] = [];
  const received: string[] = [];
  let socket: Duplex;
  let wire: Wire;
  beforeEach(() => {
    sent.length = received.length = 0;
    socket = new Duplex({
      read: () => undefined,
      write: (chunk, _, done) => {
        sent.push(String(chunk));
        done();
      },
    });
    wire = new Wire(socket);
    wire.on("data", (chunk) => received.push(String(chunk)));
  });

  it("passes both directions on, and neither once it is lost", async () => {
    socket.push("in");
    wire.write("out");
    await setImmediate();
    wire.lose();
    socket.push("lost in");
    wire.write("lost out");
    await setImmediate();
    expect({ sent, received }).to.deep.equal({ sent: ["out"], received: ["in"] });
  });

  it("hides the end and the loss of the socket once it is lost", async () => {
    wire.lose();
    socket.push(null);
    await setImmediate();
    expect([socket.destroyed, wire.readableEnded, wire.destroyed]).to.deep.equal([true, false, false]);
  });

  it("leaves the client's socket open when it ends behind a lost network, and closes it otherwise", async () => {
    wire.lose();
    wire.destroy();
    await setImmediate();
    expect(socket.destroyed).to.equal(false);
    const other = new Wire(socket);
    other.destroy();
    await setImmediate();
    expect(socket.destroyed).to.equal(true);
  });
});

describe("the gateway's throttle", () => {
  it("lets a burst through, refuses the next request, and refills by the rate", () => {
    let nowMs = 0;
    const bucket = new TokenBucket(2, 3, () => nowMs);
    expect([1, 2, 3, 4].map(() => bucket.take())).to.deep.equal([true, true, true, false]);
    nowMs = 500;
    expect([1, 2].map(() => bucket.take())).to.deep.equal([true, false]);
    nowMs = 60_000;
    expect([1, 2, 3, 4].map(() => bucket.take())).to.deep.equal([true, true, true, false]);
  });

  it("counts an omitted limit as 0 and refuses everything, once there are settings", () => {
    expect(new StageThrottle({ throttlingRateLimit: 10 }).allows("$connect")).to.equal(false);
    expect(new StageThrottle({ throttlingBurstLimit: 10 }).allows("$connect")).to.equal(false);
    expect(new StageThrottle({}).allows("$connect")).to.equal(false);
    expect(new StageThrottle().allows("$connect")).to.equal(true);
  });

  it("counts each route for itself, and prefers a route's own settings", () => {
    const own = { routeKey: "ping", throttlingRateLimit: 1, throttlingBurstLimit: 2 };
    const throttle = new StageThrottle({ throttlingRateLimit: 1, throttlingBurstLimit: 1 }, [own], () => 0);
    expect([throttle.allows("a"), throttle.allows("a"), throttle.allows("b")]).to.deep.equal([true, false, true]);
    expect([1, 2, 3].map(() => throttle.allows("ping"))).to.deep.equal([true, true, false]);
  });
});

describe("the gateway's expressions, templates and ids", () => {
  it("evaluates a path in the message's JSON, nested and braced", () => {
    expect(evaluate("$request.body.action", '{"action":"ping"}')).to.equal("ping");
    expect(evaluate("$request.body.a.b", '{"a":{"b":7}}')).to.equal("7");
    expect(evaluate("${request.body.action}", '{"action":true}')).to.equal("true");
  });

  it("has no value for what is no JSON, lacks the path, is no scalar, or is inherited", () => {
    expect(evaluate("$request.body.action", "ping")).to.equal(undefined);
    expect(evaluate("$request.body.action", "{}")).to.equal(undefined);
    expect(evaluate("$request.body.action", "null")).to.equal(undefined);
    expect(evaluate("$request.body.action", '{"action":{}}')).to.equal(undefined);
    expect(evaluate("$request.body.constructor.name", "{}")).to.equal(undefined);
  });

  it("takes anything else for a constant, with its dollar sign escaped or not", () => {
    expect(evaluate("\\$default", "{}")).to.equal("$default");
    expect(evaluate("200", "{}")).to.equal("200");
    expect(isBodyExpression("$request.method $request.path")).to.equal(false);
  });

  it("renders context variables, and calls every other Velocity not plain", () => {
    expect(render('{"id":"$context.connectionId","no":"$context.nothing"}', { connectionId: "x=" })).to.equal(
      '{"id":"x=","no":""}',
    );
    expect(isPlainTemplate('{"price":"5$","tag":"#1","id":"$context.requestId"}')).to.equal(true);
    for (const template of ["$input.json('$')", "#if(1)a#end", "${context.id}", "$context.identity.sourceIp", "## x"]) {
      expect(isPlainTemplate(template), template).to.equal(false);
    }
  });

  it("makes connection ids that end in = and names them by their end only", () => {
    const id = newConnectionId();
    expect(id).to.match(/^[A-Za-z0-9_-]{15}=$/);
    expect(isConnectionId(id)).to.equal(true);
    expect(isConnectionId(encodeURIComponent(id))).to.equal(false);
    expect(shortId("L0SM9cOFvHcCIhw=")).to.equal("…CIhw=");
  });
});
