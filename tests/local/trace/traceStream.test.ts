import { PassThrough, Writable } from "node:stream";
import { expect } from "chai";
import { Trace } from "../../../local/trace/trace";
import { TraceStream } from "../../../local/trace/traceStream";

describe("a trace as server-sent events", () => {
  const trace = new Trace();
  let stream: TraceStream;
  beforeEach(() => (stream = new TraceStream(trace, 3)));
  afterEach(() => stream.close());

  const record = (...labels: string[]) => labels.forEach((label) => trace.record("Client", "Gateway", label));
  /** A reader that takes everything at once. */
  const read = (lastId?: number) => {
    const output = new PassThrough({ encoding: "utf8" });
    stream.pipeTo(output, lastId);
    return { output, text: () => String(output.read() ?? "") };
  };
  const labelsOf = (text: string) => [...text.matchAll(/"label":"(\w+)"/g)].map(([, label]) => label);

  it("is open at once, and writes each event with its number", () => {
    const { text } = read();
    expect(text()).to.equal(": open\n\n");
    record("a");
    expect(text()).to.match(/^id: 0\ndata: \{"atMs":\d+,"from":"Client","to":"Gateway","label":"a"\}\n\n$/);
  });

  it("begins with what is kept, and says how many events are not any more", () => {
    record("a", "b");
    expect(labelsOf(read().text())).to.deep.equal(["a", "b"]);
    record("c", "d");
    const text = read().text();
    expect(labelsOf(text)).to.deep.equal(["b", "c", "d"]);
    expect(text, "a first reader has missed nothing that it knew of").not.to.include("skipped");
    expect(read(0).text()).to.include("id: 1\n").and.not.include("skipped");
  });

  it("goes on after the last event that a reader has had, and begins anew after another run's", () => {
    record("a", "b", "c");
    expect(labelsOf(read(1).text())).to.deep.equal(["c"]);
    expect(labelsOf(read(17).text())).to.deep.equal(["a", "b", "c"]);
    expect(labelsOf(read(Number.NaN).text())).to.deep.equal(["a", "b", "c"]);
  });

  it("holds nothing for a reader that does not read, and tells it afterwards how much it missed", async () => {
    let take: () => void = () => undefined;
    let taken = "";
    const slow = new Writable({
      highWaterMark: 64,
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        taken += chunk;
        take = done;
      },
    });
    stream.pipeTo(slow);
    for (let count = 0; count < 10_000; count += 1) record(`n${count}`);
    expect(slow.writableLength).to.be.below(1_000);
    while (!taken.includes("n9999")) {
      take();
      await new Promise(setImmediate);
    }
    const [first, ...rest] = labelsOf(taken);
    expect([first, ...rest.slice(-3)]).to.deep.equal(["n0", "n9997", "n9998", "n9999"]);
    const skipped = Number(/event: skipped\ndata: (\d+)\n/.exec(taken)?.[1]);
    expect(skipped + rest.length + 1).to.equal(10_000);
    slow.destroy();
  });

  it("ends for every reader when the run ends, and for one that hangs up at once", () => {
    const first = read();
    const second = read();
    second.output.destroy();
    record("a");
    stream.close();
    expect(first.output.writableEnded).to.equal(true);
    record("b");
    expect(labelsOf(first.text())).to.deep.equal(["a"]);
  });
});
