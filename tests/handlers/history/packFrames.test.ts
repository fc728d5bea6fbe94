import { expect } from "chai";
import { packFrames } from "../../../handlers/history/packFrames";
import { type Envelope, MAX_PAYLOAD_BYTES, type MessageEnvelope } from "../../../protocol";

const message = (seq: number, body: string): MessageEnvelope => ({ type: "message", epoch: "e", seq, id: "m", body });
const bytesOf = (envelope: Envelope): number => Buffer.byteLength(JSON.stringify(envelope));

describe("packFrames", () => {
  it("makes no frame of nothing", () => {
    expect(packFrames([])).to.deep.equal([]);
  });

  it("sends one envelope as itself, and several as an array in their order", () => {
    const envelopes = [message(1, "a"), message(2, "b"), message(3, "c")];
    expect(packFrames(envelopes.slice(0, 1)).map(({ text }) => JSON.parse(text) as unknown)).to.deep.equal([
      message(1, "a"),
    ]);
    const [frame, ...others] = packFrames(envelopes);
    expect(JSON.parse(frame?.text ?? "")).to.deep.equal(envelopes);
    expect(frame?.envelopes).to.deep.equal(envelopes);
    expect(others).to.deep.equal([]);
  });

  it("fills a frame to its last byte, and not above, in UTF-8 and with JSON's own escapes", () => {
    const envelopes = [message(1, 'é"\n'), message(2, "€"), message(3, "\u0001")];
    const exact = envelopes.reduce((sum, envelope) => sum + bytesOf(envelope), 0) + "[,,]".length;
    expect(packFrames(envelopes, exact).map(({ bytes }) => bytes)).to.deep.equal([exact]);
    expect(packFrames(envelopes, exact - 1).map((frame) => frame.envelopes.length)).to.deep.equal([2, 1]);
  });

  it("says how large each frame is, of which none is above the gateway's limit", () => {
    const envelopes = Array.from({ length: 300 }, (_, i) => message(i + 1, "x".repeat((i * 997) % 5_000)));
    const frames = packFrames(envelopes);
    expect(frames.flatMap((frame) => frame.envelopes)).to.deep.equal(envelopes);
    for (const { text, bytes } of frames) {
      expect(bytes).to.equal(Buffer.byteLength(text));
      expect(bytes).to.be.at.most(MAX_PAYLOAD_BYTES);
    }
    // As few as can be: no two neighbours would have fitted into one.
    for (const [i, { bytes }] of frames.entries()) {
      const next = frames[i + 1]?.envelopes[0];
      if (next) expect(bytes + bytesOf(next) + 1).to.be.above(MAX_PAYLOAD_BYTES);
    }
  });

  it("gives one that is too large a frame of its own, and the others theirs", () => {
    const envelopes = [message(1, "a"), message(2, "x".repeat(200)), message(3, "c")];
    expect(packFrames(envelopes, 150).map((frame) => frame.envelopes.map(({ seq }) => seq))).to.deep.equal([
      [1],
      [2],
      [3],
    ]);
  });
});
