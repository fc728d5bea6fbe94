import { expect } from "chai";
import { newEpoch } from "../../../handlers/history/epoch";
import { fromOffset, offsetOf } from "../../../handlers/read/offset";

describe("an offset", () => {
  it("carries epoch and number, of every epoch that the relay makes", () => {
    for (const seq of [0, 1, 42, Number.MAX_SAFE_INTEGER]) {
      const position = { epoch: newEpoch(), seq };
      expect(fromOffset(offsetOf(position))).to.deep.equal({ value: position });
    }
    expect(fromOffset(offsetOf({ epoch: undefined, seq: 0 }))).to.deep.equal({ value: { epoch: undefined, seq: 0 } });
  });

  it("sorts as its number does", () => {
    const numbers = [0, 1, 9, 10, 99, 100, 4_294_967_296, Number.MAX_SAFE_INTEGER];
    const offsets = numbers.map((seq) => offsetOf({ epoch: "e1", seq }));
    expect(offsets.toSorted()).to.deep.equal(offsets);
    expect(offsetOf({ epoch: undefined, seq: 0 }) < (offsets[0] ?? "")).to.equal(true);
  });

  it("is short, and has no character that the protocol forbids", () => {
    const epochs = Array.from({ length: 100 }, newEpoch);
    for (const epoch of epochs) expect(offsetOf({ epoch, seq: 7 })).to.match(/^[\w-]{29}$/);
  });
});
