import { deflateRawSync } from "node:zlib";
import { expect } from "chai";
import { BODIES, bodyOf, CHUNKS, INCOMPRESSIBLE } from "../../bench/bodies";

describe("the bodies of the bench", () => {
  it("are JSON of exactly 1 KB, each another text, that compresses as JSON does", () => {
    expect(new Set(BODIES)).to.have.lengthOf(10);
    for (const body of BODIES) {
      expect(Buffer.byteLength(body)).to.equal(1_024);
      expect(deflateRawSync(body).length / 1_024).to.be.within(0.5, 0.8);
    }
  });

  it("have a counterpart of the same size that compression shortens by a quarter at most", () => {
    for (const body of INCOMPRESSIBLE) {
      expect(Buffer.byteLength(body)).to.equal(1_024);
      expect(deflateRawSync(body).length / 1_024).to.be.above(0.75);
    }
  });

  it("have chunks of 20 bytes", () => {
    expect(CHUNKS.length).to.be.above(100);
    for (const chunk of CHUNKS) expect(Buffer.byteLength(chunk)).to.equal(20);
  });

  it("are used in turn", () => {
    expect(bodyOf(13)).to.equal(BODIES[3]);
  });
});
