import { expect } from "chai";
import { adaptersOf, hasConnections, hasStreams } from "../../bench/adapters";

describe("what a measured commit lacks", () => {
  it("is nothing for this checkout", () => {
    expect(hasConnections()).to.equal(true);
    expect(hasStreams()).to.equal(true);
    expect(adaptersOf()).to.deep.equal([]);
  });

  it("includes the rows that are not measured where the component has no argument connections", () => {
    expect(hasConnections({ delivery: {} })).to.equal(false);
    expect(adaptersOf({ delivery: {} })).to.deep.equal([
      "the component has no argument connections: the rows connections, raw and fleet are not measured",
    ]);
  });

  it("includes what the backend library does not have", () => {
    expect(hasStreams({ publishBatch: true })).to.equal(false);
    expect(adaptersOf({ connections: {} }, {})).to.deep.equal([
      "RelayBackend has no publishBatch: the messages of a batch are published one by one",
      "RelayBackend has no stream: the row streams is not measured",
    ]);
  });
});
