import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import ts from "typescript";
import { Arrivals } from "../../local/page/arrivals";
import { columns, rowOf, width } from "../../local/page/diagramLayout";
import { participants } from "../../local/traceEvent";

const folder = resolve(__dirname, "../../local/page");

describe("the page's sources", () => {
  it("compile against a browser's library, and nothing of Node", () => {
    const file = resolve(folder, "tsconfig.json");
    const { config } = ts.readConfigFile(file, ts.sys.readFile) as { config: object };
    const { fileNames, options, errors } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
    expect(fileNames).to.include(resolve(folder, "page.ts"));
    const found = [...errors, ...ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options))];
    expect(found.map(({ messageText }) => messageText)).to.deep.equal([]);
  });

  it("find every element that they ask for", () => {
    const html = readFileSync(resolve(folder, "index.html"), "utf8");
    const scripts = ["page.ts", "messageList.ts"].map((name) => readFileSync(resolve(folder, name), "utf8")).join("\n");
    const asked = [...scripts.matchAll(/\b(?:element(?:<\w+>)?|input|say|on)\("([\w-]+)"/g)].map(([, id]) => id);
    expect(asked).to.include("connect-form");
    expect(asked.filter((id) => !html.includes(`id="${id}"`))).to.deep.equal([]);
  });

  it("label every input and name every button", () => {
    const html = readFileSync(resolve(folder, "index.html"), "utf8");
    const outside = html.replace(/<label[^>]*>[^]*?<\/label>/g, "");
    expect(outside).not.to.include("<input");
    expect(html).not.to.match(/<button[^>]*>\s*<\/button>|tabindex="[1-9]/);
  });
});

describe("what arrives at the page", () => {
  const message = (seq: number, epoch = "e") => ({ type: "message", epoch, seq, id: `m-${seq}`, body: "text" });
  const resumed = (first: number, through: number) => ({ type: "resumed", recovered: true, first, through });
  let arrivals: Arrivals;
  beforeEach(() => {
    arrivals = new Arrivals();
    arrivals.begin();
  });
  const take = (frame: unknown) => arrivals.take(JSON.stringify(frame));

  it("is replayed up to the number that a resume goes to, and live from there on", () => {
    take([{ type: "hello", oldest: 1, newest: 5 }, resumed(4, 5), message(4)]);
    take(message(6));
    take(message(5));
    const origins = [4, 5, 6].map((seq) => arrivals.originOf({ epoch: "e", seq }));
    expect(origins).to.deep.equal(["replayed", "replayed", "live"]);
  });

  it("is live on a connection that has not asked yet, whatever an earlier one was sent", () => {
    take(resumed(1, 9));
    arrivals.begin();
    take(message(8));
    expect(arrivals.originOf({ epoch: "e", seq: 8 })).to.equal("live");
  });

  it("is counted where it comes again, and keeps how it came first; another epoch's number is another message", () => {
    take(message(1));
    take([resumed(1, 1), message(1)]);
    take(message(1, "f"));
    expect(arrivals.duplicates).to.equal(1);
    expect(arrivals.originOf({ epoch: "e", seq: 1 })).to.equal("live");
  });

  it("says nothing of what is no envelope", () => {
    for (const frame of ["Hello, 42", "null", "[1,null]", "{}", undefined]) arrivals.take(frame);
    expect(arrivals.duplicates).to.equal(0);
    expect(arrivals.originOf({})).to.equal(undefined);
  });
});

describe("the page's diagram", () => {
  it("has the flow's participants in their order, but for the user, who looks at it", () => {
    expect(columns).to.deep.equal(participants.filter((name) => name !== "User"));
  });

  it("points an arrow from one to the other, and begins its label at the left of the two", () => {
    const there = rowOf({ from: "Client", to: "Gateway", label: "open" });
    const back = rowOf({ from: "Gateway", to: "Client", label: "101" });
    expect(there.fromX).to.equal(back.toX).and.below(there.toX);
    expect([there.anchor, back.anchor, back.labelX]).to.deep.equal(["start", "start", there.labelX]);
  });

  it("keeps a long label at the right edge within the diagram", () => {
    const row = rowOf({ from: "Lambda", to: "HistoryDB", label: "x".repeat(60) });
    expect(row.anchor).to.equal("end");
    expect(row.labelX).to.be.below(width);
  });
});
