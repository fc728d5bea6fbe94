import { expect } from "chai";
import { barChart } from "../../cli/cost/chart";
import { PRICES } from "../../cli/cost/prices";
import { alternativesOf } from "../../cli/cost/alternatives";
import { run } from "../../cli/program";
import type { Terminal } from "../../cli/terminal";
import { quiet } from "./quietMonth";

describe("a chart of bars", () => {
  const bars = [
    { label: "pings", value: 40 },
    { label: "writes", value: 10 },
    { label: "nothing", value: 0 },
  ];

  it("scales to the largest value and to the terminal's width", () => {
    const lines = barChart(bars, 40, false).split("\n");
    expect(lines[0]).to.have.lengthOf(40);
    const lengths = lines.map((line) => line.split("#").length - 1);
    expect(lengths[1]).to.be.closeTo((lengths[0] ?? 0) / 4, 1);
    expect(lengths[2]).to.equal(0);
  });

  it("has a bar for the smallest value above zero, and 10 characters at least for the largest", () => {
    const [largest, smallest] = barChart([bars[0], { label: "x", value: 0.001 }] as never, 5, false).split("\n");
    expect(largest).to.match(/ #{10}$/);
    expect(smallest).to.match(/ #$/);
  });

  it("colors the bars only if it may", () => {
    expect(barChart(bars, 40, false)).to.not.include("\u001b");
    expect(barChart(bars, 40, true).split("\u001b[36m")).to.have.lengthOf(3);
  });
});

describe("the comparison of cost", () => {
  const usdOf = (service: string, workload: object) =>
    alternativesOf({ ...quiet, ...workload }, PRICES).find((each) => each.service === service)?.usd;

  it("has AppSync Events' operations by 5 KB, and connection minutes", () => {
    expect(usdOf("AppSync Events", { messages: 1e6 })).to.equal(2);
    expect(usdOf("AppSync Events", { messages: 1e6, messageKb: 6 })).to.equal(4);
    // What is published to a user who is away is not sent.
    expect(usdOf("AppSync Events", { messages: 1e6, awayShare: 1 })).to.equal(1);
    const minutes = 1_000 * 43_800;
    const opened = minutes / 30;
    expect(usdOf("AppSync Events", { connections: 1_000 })).to.be.closeTo((minutes * 0.08 + opened * 2) / 1e6, 1e-9);
  });

  it("has IoT Core's messages by 5 KB, with an acknowledgement of each", () => {
    expect(usdOf("IoT Core", { messages: 1e6 })).to.equal(3);
    expect(usdOf("IoT Core", { messages: 1e6, messageKb: 6 })).to.equal(5);
  });
});

describe("cost --chart", () => {
  const printedBy = async (more: Partial<Terminal>, ...args: string[]) => {
    const printed: string[] = [];
    const terminal: Terminal = {
      print: (text) => void printed.push(text),
      note: () => undefined,
      confirm: () => Promise.resolve(false),
      interrupted: new AbortController().signal,
      ...more,
    };
    const exitCode = await run(["cost", "--messages", "1000000", ...args], terminal, {} as never);
    expect(exitCode).to.equal(0);
    return printed.join("\n");
  };

  it("draws each item that costs something as wide as the terminal, then the totals", async () => {
    const printed = await printedBy({ columns: 60 }, "--chart");
    const bars = printed.split("\n").filter((line) => line.endsWith("#"));
    expect(bars.length).to.be.above(5);
    expect(Math.max(...bars.map(({ length }) => length))).to.equal(60);
    for (const total of ["this relay", "AppSync Events", "IoT Core"]) {
      expect(
        bars.some((line) => line.startsWith(total)),
        total,
      ).to.equal(true);
    }
  });

  it("has no chart without the option, and no colors in a file", async () => {
    expect(await printedBy({})).to.not.include("##");
    expect(await printedBy({}, "--chart")).to.not.include("\u001b");
    expect(await printedBy({ hasColors: true }, "--chart")).to.include("\u001b[36m#");
  });

  it("prints the comparison with other services, also as JSON", async () => {
    expect(await printedBy({})).to.match(/AppSync Events \d.*IoT Core \d/);
    const { alternatives, workload } = JSON.parse(await printedBy({}, "--json")) as Record<string, object[]>;
    expect(alternatives).to.have.lengthOf(2);
    expect(workload).to.include({ messagesPerPublish: 1 }).and.not.have.property("chart");
  });
});
