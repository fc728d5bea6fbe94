import { expect } from "chai";
import { Inbox } from "../../client/inbox";
import type { Item } from "../../client/messages";
import type { Resumed } from "../../protocol";
import { EPOCH, hello, message } from "./clientSetUp";

const ALL = Number.MAX_SAFE_INTEGER;

describe("the inbox", () => {
  it("asks as it is told to where it has no cursor, and after its cursor where it has one", () => {
    expect(new Inbox(10, undefined).request()).to.deep.equal({ action: "resume" });
    expect(new Inbox(10, "oldest").request()).to.deep.equal({ action: "resume", from: "oldest" });
    expect(begun(5).request()).to.deep.equal({ action: "resume", cursor: { epoch: EPOCH, seq: 5 } });
  });

  it("asks for everything of a session that was empty before, and takes what nobody can give any more for a gap", () => {
    const inbox = new Inbox(10, undefined);
    inbox.resumed(hello(0), resumed(1, 0), undefined);
    expect(inbox.request()).to.deep.equal({ action: "resume", from: "oldest" });

    inbox.resumed(hello(7, { oldest: 5 }), resumed(5, 7), undefined);
    expect(taken(inbox)).to.deep.equal(["gap expired 0 to 5"]);
  });

  it("begins a session that was empty with its first message, whenever that comes", () => {
    for (const order of [
      [1, 2],
      [2, 1],
    ]) {
      const inbox = new Inbox(10, undefined);
      inbox.resumed(hello(0), resumed(1, 0), undefined);
      for (const seq of order) inbox.accept(message(seq), 0);
      expect(taken(inbox)).to.deep.equal(["m1", "m2"]);
    }
  });

  it("begins with a message that came before the answer said that there was none", () => {
    const inbox = new Inbox(10, undefined);
    inbox.accept(message(1), 0);
    inbox.resumed(hello(0), resumed(1, 0), undefined);
    expect(taken(inbox)).to.deep.equal(["m1"]);
  });

  it("begins after what was acknowledged, and passes over what came of it", () => {
    const inbox = new Inbox(10, undefined);
    inbox.accept(message(3), 0);
    inbox.accept(message(5), 0);
    inbox.resumed(hello(5), resumed(5, 5), undefined);
    expect(taken(inbox)).to.deep.equal(["m5"]);
  });

  it("knows that a number is missing, and asks after the last one before it", () => {
    const inbox = begun(1);
    expect(inbox.missing).to.equal(false);
    inbox.accept(message(3), 0);
    expect(inbox.missing).to.equal(true);
    expect(inbox.request().cursor?.seq).to.equal(1);
    inbox.accept(message(2), 0);
    expect(inbox.missing).to.equal(false);
  });

  it("knows of numbers that the relay named, though nothing of them came", () => {
    const inbox = begun(1);
    inbox.resumed(hello(4), resumed(2, 2), { epoch: EPOCH, seq: 1 });
    inbox.accept(message(2), 2);
    expect(inbox.missing).to.equal(true);
  });

  it("reports what is older than the history, once, and goes on after it", () => {
    const inbox = begun(2);
    inbox.resumed(hello(9, { oldest: 6 }), resumed(6, 9, "expired"), { epoch: EPOCH, seq: 2 });
    inbox.resumed(hello(9, { oldest: 6 }), resumed(6, 9, "expired"), { epoch: EPOCH, seq: 2 });
    inbox.accept(message(6), 9);
    expect(taken(inbox)).to.deep.equal(["gap expired 2 to 6", "m6"]);
  });

  it("hands over what it has of numbers that the relay has lost", () => {
    const inbox = begun(2);
    inbox.accept(message(4), 0);
    inbox.accept(message(6), 0);
    inbox.resumed(hello(8, { oldest: 7 }), resumed(7, 8, "expired"), { epoch: EPOCH, seq: 2 });
    expect(taken(inbox)).to.deep.equal(["gap expired 2 to 4", "m4", "gap expired 4 to 6", "m6"]);
    expect(inbox.seq).to.equal(6);
  });

  it("reports nothing where what is said to be lost came another way", () => {
    const inbox = begun(2);
    for (const seq of [3, 4, 5]) inbox.accept(message(seq), 0);
    inbox.resumed(hello(6, { oldest: 6 }), resumed(6, 6, "expired"), { epoch: EPOCH, seq: 2 });
    expect(taken(inbox)).to.deep.equal(["m3", "m4", "m5"]);
  });

  it("reports a lost beginning where it had no cursor", () => {
    const inbox = new Inbox(10, undefined);
    inbox.resumed(hello(9, { oldest: 4 }), resumed(4, 9, "expired"), undefined);
    expect(taken(inbox)).to.deep.equal(["gap expired 0 to 4"]);
  });

  it("begins another epoch where its own is lost, with what came of the new one, and never twice", () => {
    const inbox = begun(5);
    inbox.accept(message(2, { epoch: "e2" }), 0);
    expect(inbox.missing).to.equal(true);
    const asked = { epoch: EPOCH, seq: 5 };
    inbox.resumed(hello(2, { epoch: "e2" }), resumed(1, 2, "epoch"), asked);
    inbox.accept(message(1, { epoch: "e2" }), 2);
    inbox.resumed(hello(2, { epoch: "e2" }), resumed(1, 2, "epoch"), asked);
    inbox.accept(message(1, { epoch: "e2" }), 2);
    expect(taken(inbox)).to.deep.equal(["gap epoch 5 to 1", "m1", "m2"]);
  });

  it("hands over what it has of an epoch that is lost", () => {
    const inbox = begun(5);
    inbox.accept(message(7), 0);
    inbox.resumed(hello(2, { epoch: "e2" }), resumed(1, 2, "epoch"), { epoch: EPOCH, seq: 5 });
    inbox.accept(message(1, { epoch: "e2" }), 2);
    expect(taken(inbox)).to.deep.equal(["m7", "gap epoch 5 to 1", "m1"]);
  });

  it("begins anew where the history is empty", () => {
    const inbox = begun(5);
    inbox.resumed(hello(0), resumed(1, 0, "epoch"), { epoch: EPOCH, seq: 5 });
    inbox.accept(message(1, { epoch: "e2" }), 0);
    expect(taken(inbox)).to.deep.equal(["gap epoch 5 to 1", "m1"]);
  });

  it("goes back where the history was set back, and does so once", () => {
    const inbox = begun(9);
    const asked = { epoch: EPOCH, seq: 9 };
    inbox.resumed(hello(4), resumed(1, 4, "ahead"), asked);
    inbox.accept(message(1), 4);
    inbox.resumed(hello(4), resumed(1, 4, "ahead"), asked);
    inbox.accept(message(1), 4);
    expect(taken(inbox)).to.deep.equal(["gap ahead 9 to 1", "m1"]);
  });

  it("is not set back by an answer that was read before what has come since", () => {
    const inbox = begun(3);
    inbox.accept(message(4), 0);
    inbox.resumed(hello(3), resumed(4, 3), { epoch: EPOCH, seq: 3 });
    expect(inbox.request().cursor?.seq).to.equal(4);

    const first = new Inbox(10, undefined);
    first.resumed(hello(0), resumed(1, 0), undefined);
    first.accept(message(1), 0);
    first.resumed(hello(0), resumed(1, 0), undefined);
    first.accept(message(1), 0);
    expect(taken(first)).to.deep.equal(["m1"]);
  });

  it("passes over a message of an epoch that is over", () => {
    const inbox = begun(5);
    inbox.accept(message(6, { epoch: "e0" }), 0);
    expect(inbox.missing, "it might be a new one").to.equal(true);
    inbox.resumed(hello(5), resumed(6, 5), { epoch: EPOCH, seq: 5 });
    expect(inbox.missing).to.equal(false);
    inbox.accept(message(6), 0);
    expect(taken(inbox)).to.deep.equal(["m6"]);
  });

  it("keeps no more than it may of messages that came early, and asks for the others", () => {
    const inbox = begun(0, 3);
    for (const seq of [2, 3, 4, 5, 6]) inbox.accept(message(seq), 0);
    inbox.accept(message(1), 0);
    expect(taken(inbox)).to.deep.equal(["m1", "m2", "m3", "m4"]);
    expect(inbox.missing).to.equal(true);
    expect(inbox.request().cursor?.seq).to.equal(4);
  });

  it("gives no place among them to what it has had", () => {
    const inbox = begun(5, 3);
    for (const seq of [1, 2, 3, 4, 5, 7, 8, 9, 6]) inbox.accept(message(seq), 0);
    expect(taken(inbox)).to.deep.equal(["m6", "m7", "m8", "m9"]);
  });

  it("keeps no more than it may of messages that wait, but for the page that it asked for", () => {
    const inbox = begun(0, 3);
    for (const seq of [1, 2, 3, 4, 5]) inbox.accept(message(seq), 4);
    expect(inbox.busy).to.equal(true);
    expect(taken(inbox)).to.deep.equal(["m1", "m2", "m3", "m4"]);
    expect(inbox.busy).to.equal(false);
    expect(inbox.missing).to.equal(true);
  });

  it("takes a message without a body for one that has expired", () => {
    const inbox = begun(0);
    inbox.accept(message(1, { body: undefined, expired: true }), 0);
    expect(inbox.take()).to.deep.equal({
      kind: "expired",
      cursor: { epoch: EPOCH, seq: 1 },
      value: { id: "id-1", epoch: EPOCH, seq: 1 },
    });
  });

  it("begins again after what was handed over, and keeps what nobody could send again", () => {
    const inbox = begun(0);
    for (const seq of [1, 2, 3]) inbox.accept(message(seq), 0);
    inbox.take();
    inbox.acceptRaw("raw");
    inbox.start();
    expect(taken(inbox)).to.deep.equal(["raw"]);
    expect(inbox.request().cursor?.seq).to.equal(1);
  });

  it("puts any order of what comes into its own", () => {
    // Deterministic, and different each time.
    let state = 1;
    const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let round = 0; round < 200; round++) {
      const inbox = begun(0, ALL);
      const seqs = Array.from({ length: 30 }, (_, index) => 1 + (index % 20));
      seqs.sort(() => random() - 0.5);
      for (const seq of seqs) inbox.accept(message(seq), 0);
      expect(taken(inbox)).to.deep.equal(Array.from({ length: 20 }, (_, index) => `m${index + 1}`));
    }
  });
});

/** An inbox that has seen everything up to `seq`. */
function begun(seq: number, maxBuffered = 10): Inbox {
  const inbox = new Inbox(maxBuffered, undefined);
  if (seq > 0) inbox.start({ epoch: EPOCH, seq });
  else inbox.resumed(hello(0), resumed(1, 0), undefined);
  return inbox;
}

function resumed(first: number, through: number, lost?: Resumed["lost"]): Resumed {
  return { type: "resumed", recovered: lost === undefined, ...(lost && { lost }), first, through };
}

function taken(inbox: Inbox): string[] {
  const items: Item[] = [];
  for (let item; (item = inbox.take());) items.push(item);
  return items.map(({ kind, value }) =>
    kind === "message"
      ? value.body
      : kind === "expired"
        ? `expired ${value.seq}`
        : `gap ${value.lost} ${value.after?.seq ?? 0} to ${value.first}`,
  );
}
