import { expect } from "chai";
import type { Measured } from "../../bench/measure";
import { tableOf } from "../../bench/table";

const measuredOf = (contended: number, p99: number, bytes: number): Measured => ({
  adapters: [],
  counted: { replay: {}, retry: {} },
  contended: {
    messages: 500,
    publishedInSeconds: 10,
    historyContended: contended,
    publishToClientMs: { p50: 1, p99, max: p99 },
    maxEnvironments: 10,
  },
  clientBytes: bytes,
  idle: { days: 1, pings: 2_880, connections: 15 },
  seconds: {},
});

describe("the table of the bench", () => {
  const rows = tableOf(measuredOf(0, 100, 6_900), measuredOf(158, 1_000, 7_100));
  const row = (what: RegExp) => rows.find((each) => what.test(each.what));

  it("has a row for each figure that was measured, and no other", () => {
    expect(rows.map((each) => each.row)).to.deep.equal(["idle", "contended", "contended", "client"]);
  });

  it("compares a figure with the base's where the target is a part of today's", () => {
    expect(row(/p99 from publish/)).to.deep.include({ today: 1_000, now: 100, ratio: 0.1, of: "ratio", met: true });
  });

  it("compares the figure itself where the target is absolute, also at zero", () => {
    expect(row(/history-contended/)).to.deep.include({ today: 158, now: 0, ratio: 0, of: "now", met: true });
    expect(row(/client library/)).to.deep.include({ now: 6_900, target: { atMost: 8_192 }, met: true });
    expect(row(/idle connected client/)).to.deep.include({ target: { atMost: 0.035 }, met: false });
  });

  it("counts pings, pongs and connection minutes of a month for the idle client", () => {
    // 730 hours with a ping each 30 s, a dollar for a million messages.
    expect(row(/idle connected client/)?.now).to.be.closeTo(0.1752 + 0.01095, 0.0001);
  });

  it("has no ratio, and no verdict on one, without a base", () => {
    const alone = tableOf(measuredOf(3, 100, 6_900));
    const p99 = alone.find(({ what }) => /p99 from publish/.test(what));
    expect(p99).to.not.have.any.keys("today", "ratio", "met");
    expect(alone.find(({ what }) => /history-contended/.test(what))?.met).to.equal(false);
  });
});
