import { expect } from "chai";
import { type DeadLetter } from "../../cli/deadLetters/deadLetter";
import { scan, type Visited } from "../../cli/deadLetters/scan";
import { refusal } from "../support/refusal";
import { deadLetter, MemoryLetterQueue } from "./memoryQueue";

const deadLetters = (count: number) => Array.from({ length: count }, (_, index) => deadLetter(`l${index}`));
const never = new AbortController().signal;

function visitor(answer: (deadLetter: DeadLetter) => Visited = () => "kept") {
  const visited: string[] = [];
  return {
    visited,
    visit: (each: DeadLetter) => {
      visited.push(each.id);
      return Promise.resolve(answer(each));
    },
  };
}

describe("scan", () => {
  it("visits every dead letter once, and releases the kept ones", async () => {
    const queue = new MemoryLetterQueue(deadLetters(25));
    const { visited, visit } = visitor();
    const result = await scan(queue, visit, never);
    expect(visited.sort()).to.deep.equal(
      deadLetters(25)
        .map(({ id }) => id)
        .sort(),
    );
    expect(queue.visible).to.have.lengthOf(25);
    expect(result).to.deep.equal({ letters: 25, visible: 25, hidden: 0, notReleased: 0, ended: "all-seen" });
  });

  it("ends when only visited dead letters arrive, and visits none of them twice", async () => {
    const queue = new MemoryLetterQueue(deadLetters(3));
    queue.meanwhile = () => queue.deadLetters.forEach(({ id }) => queue.show(id));
    const { visited, visit } = visitor();
    const result = await scan(queue, visit, never);
    expect(visited).to.deep.equal(["l0", "l1", "l2"]);
    expect(queue.receives).to.equal(4);
    expect(result.ended).to.equal("all-seen");
  });

  it("releases a dead letter with its latest receipt handle", async () => {
    const queue = new MemoryLetterQueue(deadLetters(1));
    queue.meanwhile = () => queue.show("l0");
    const released: string[] = [];
    queue.release = (handles) => {
      released.push(...handles);
      return Promise.resolve(0);
    };
    await scan(queue, visitor().visit, never);
    expect(released).to.deep.equal(["l0/4"]);
  });

  it("deletes a dead letter again that reappears after its deletion, without another visit", async () => {
    const queue = new MemoryLetterQueue(deadLetters(1));
    const { visited, visit } = visitor(() => "gone");
    queue.meanwhile = () => queue.receives === 2 && queue.show("l0");
    await scan(queue, visit, never);
    expect(visited).to.deep.equal(["l0"]);
    expect(queue.deleted).to.deep.equal(["l0"]);
  });

  it("ends although new dead letters keep arriving", async () => {
    const queue = new MemoryLetterQueue([]);
    let next = 0;
    queue.meanwhile = () => queue.deadLetters.push(...Array.from({ length: 10 }, () => deadLetter(`new${next++}`)));
    const result = await scan(queue, visitor().visit, never);
    expect(result.ended).to.equal("letters-kept-coming");
    expect(result.letters).to.equal(1_010);
    expect(queue.visible).to.have.lengthOf(1_010);
  });

  for (const [which, comeBack] of [
    ["only visited dead letters arrive again", true],
    ["no more arrive", false],
  ] as const) {
    it(`ends as fewer-than-counted if ${which} and the queue had counted more`, async () => {
      const queue = new MemoryLetterQueue(deadLetters(10), { visible: 30, hidden: 0 });
      queue.meanwhile = () => comeBack && queue.deadLetters.forEach(({ id }) => queue.show(id));
      const result = await scan(queue, visitor().visit, never);
      expect(result).to.deep.equal({
        letters: 10,
        visible: 30,
        hidden: 0,
        notReleased: 0,
        ended: "fewer-than-counted",
      });
    });
  }

  it("reports how many dead letters were hidden at the start", async () => {
    const queue = new MemoryLetterQueue(deadLetters(1), { visible: 1, hidden: 7 });
    expect((await scan(queue, visitor().visit, never)).hidden).to.equal(7);
  });

  it("visits no more dead letters once it is interrupted, and releases those it holds", async () => {
    const queue = new MemoryLetterQueue(deadLetters(25));
    const interrupt = new AbortController();
    const { visited, visit } = visitor((each) => {
      if (each.id === "l3") interrupt.abort();
      return "kept";
    });
    const result = await scan(queue, visit, interrupt.signal);
    expect(visited).to.deep.equal(["l0", "l1", "l2", "l3"]);
    expect(queue.receives).to.equal(1);
    expect(queue.visible).to.have.lengthOf(25);
    expect(result.ended).to.equal("interrupted");
  });

  it("receives nothing if it was interrupted before the start", async () => {
    const queue = new MemoryLetterQueue(deadLetters(1));
    expect((await scan(queue, visitor().visit, AbortSignal.abort())).ended).to.equal("interrupted");
    expect(queue.receives).to.equal(0);
  });

  it("releases the dead letters it holds if a visit or a receive fails, and reports the failure besides the count", async () => {
    const queue = new MemoryLetterQueue(deadLetters(12));
    const failing = (each: DeadLetter) =>
      each.id === "l5" ? Promise.reject(new Error("broken")) : Promise.resolve("kept" as const);
    expect(await scan(queue, failing, never)).to.include({ letters: 10, ended: "failed", failure: "broken" });
    expect(queue.visible).to.have.lengthOf(12);

    queue.meanwhile = () => {
      if (queue.receives >= 3) throw new Error("no network");
    };
    expect(await scan(queue, visitor().visit, never)).to.include({
      letters: 10,
      ended: "failed",
      failure: "no network",
    });
    expect(queue.visible).to.have.lengthOf(12);
  });

  it("throws if the dead letters cannot be counted", async () => {
    const queue = new MemoryLetterQueue(deadLetters(1));
    queue.count = () => Promise.reject(new Error("denied"));
    expect((await refusal(scan(queue, visitor().visit, never))).message).to.equal("denied");
    expect(queue.receives).to.equal(0);
  });
});
