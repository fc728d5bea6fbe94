import { expect } from "chai";
import { Inbox } from "../../client/inbox";
import type { Item } from "../../client/messages";
import type { Resumed } from "../../protocol";
import { EPOCH, hello, message } from "./clientSetUp";

const ALL = Number.MAX_SAFE_INTEGER;

describe("the inbox", () => {
  it("requests from the option's start without a cursor, and after its cursor with one", () => {
    expect(new Inbox(10, undefined).request()).to.deep.equal({ action: "resume" });
    expect(new Inbox(10, "oldest").request()).to.deep.equal({ action: "resume", from: "oldest" });
    expect(begun(5).request()).to.deep.equal({ action: "resume", cursor: { epoch: EPOCH, seq: 5 } });
  });

  it("requests all messages of a session that was empty before, and reports lost ones as a gap", () => {
    const inbox = new Inbox(10, undefined);
    inbox.resumed(hello(0), resumed(1, 0), undefined);
    expect(inbox.request()).to.deep.equal({ action: "resume", from: "oldest" });

    inbox.resumed(hello(7, { oldest: 5 }), resumed(5, 7), undefined);
    expect(taken(inbox)).to.deep.equal(["gap expired 0 to 5"]);
  });

  it("starts a session that was empty with its first message, whenever that arrives", () => {
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

  it("starts with a message that arrived before a response without messages", () => {
    const inbox = new Inbox(10, undefined);
    inbox.accept(message(1), 0);
    inbox.resumed(hello(0), resumed(1, 0), undefined);
    expect(taken(inbox)).to.deep.equal(["m1"]);
  });

  it("starts after the acknowledged messages, and skips those that arrived", () => {
    const inbox = new Inbox(10, undefined);
    inbox.accept(message(3), 0);
    inbox.accept(message(5), 0);
    inbox.resumed(hello(5), resumed(5, 5), undefined);
    expect(taken(inbox)).to.deep.equal(["m5"]);
  });

  it("detects a missing number, and requests after the last one before it", () => {
    const inbox = begun(1);
    expect(inbox.missing).to.equal(false);
    inbox.accept(message(3), 0);
    expect(inbox.missing).to.equal(true);
    expect(inbox.request().cursor?.seq).to.equal(1);
    inbox.accept(message(2), 0);
    expect(inbox.missing).to.equal(false);
  });

  it("detects numbers that the relay announced and that did not arrive", () => {
    const inbox = begun(1);
    inbox.resumed(hello(4), resumed(2, 2), { epoch: EPOCH, seq: 1 });
    inbox.accept(message(2), 2);
    expect(inbox.missing).to.equal(true);
  });

  it("reports messages older than the history once, and continues after them", () => {
    const inbox = begun(2);
    inbox.resumed(hello(9, { oldest: 6 }), resumed(6, 9, "expired"), { epoch: EPOCH, seq: 2 });
    inbox.resumed(hello(9, { oldest: 6 }), resumed(6, 9, "expired"), { epoch: EPOCH, seq: 2 });
    inbox.accept(message(6), 9);
    expect(taken(inbox)).to.deep.equal(["gap expired 2 to 6", "m6"]);
  });

  it("reports no gap for a second response without a cursor that begins after what others have acknowledged", () => {
    const inbox = new Inbox(10, undefined);
    inbox.resumed(hello(4), resumed(3, 4), undefined);
    inbox.accept(message(3), 4);
    inbox.resumed(hello(9), resumed(9, 9), undefined);
    inbox.accept(message(9), 9);
    expect(taken(inbox)).to.deep.equal(["m3"]);
    expect(inbox.missing).to.equal(true);
    expect(inbox.request().cursor?.seq).to.equal(3);
  });

  it("starts a session that was empty with its oldest message, whatever others have acknowledged", () => {
    const inbox = begun(0);
    inbox.resumed(hello(5), resumed(5, 5), undefined);
    inbox.accept(message(5), 5);
    expect(taken(inbox)).to.deep.equal([]);
    expect(inbox.missing).to.equal(true);
    expect(inbox.request().cursor).to.deep.equal({ epoch: EPOCH, seq: 0 });
  });

  it("hands over messages it has that the relay has lost", () => {
    const inbox = begun(2);
    inbox.accept(message(4), 0);
    inbox.accept(message(6), 0);
    inbox.resumed(hello(8, { oldest: 7 }), resumed(7, 8, "expired"), { epoch: EPOCH, seq: 2 });
    expect(taken(inbox)).to.deep.equal(["gap expired 2 to 4", "m4", "gap expired 4 to 6", "m6"]);
    expect(inbox.seq).to.equal(6);
  });

  it("reports no gap if the messages that the relay lost arrived another way", () => {
    const inbox = begun(2);
    for (const seq of [3, 4, 5]) inbox.accept(message(seq), 0);
    inbox.resumed(hello(6, { oldest: 6 }), resumed(6, 6, "expired"), { epoch: EPOCH, seq: 2 });
    expect(taken(inbox)).to.deep.equal(["m3", "m4", "m5"]);
  });

  it("reports a lost start without a cursor", () => {
    const inbox = new Inbox(10, undefined);
    inbox.resumed(hello(9, { oldest: 4 }), resumed(4, 9, "expired"), undefined);
    expect(taken(inbox)).to.deep.equal(["gap expired 0 to 4"]);
  });

  it("starts another epoch if its own is lost, with the messages that arrived of the new one, once", () => {
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

  it("hands over the messages it has of a lost epoch", () => {
    const inbox = begun(5);
    inbox.accept(message(7), 0);
    inbox.resumed(hello(2, { epoch: "e2" }), resumed(1, 2, "epoch"), { epoch: EPOCH, seq: 5 });
    inbox.accept(message(1, { epoch: "e2" }), 2);
    expect(taken(inbox)).to.deep.equal(["m7", "gap epoch 5 to 1", "m1"]);
  });

  it("starts again if the history is empty", () => {
    const inbox = begun(5);
    inbox.resumed(hello(0), resumed(1, 0, "epoch"), { epoch: EPOCH, seq: 5 });
    inbox.accept(message(1, { epoch: "e2" }), 0);
    expect(taken(inbox)).to.deep.equal(["gap epoch 5 to 1", "m1"]);
  });

  it("goes back once if the history was restored from a backup", () => {
    const inbox = begun(9);
    const asked = { epoch: EPOCH, seq: 9 };
    inbox.resumed(hello(4), resumed(1, 4, "ahead"), asked);
    inbox.accept(message(1), 4);
    inbox.resumed(hello(4), resumed(1, 4, "ahead"), asked);
    inbox.accept(message(1), 4);
    expect(taken(inbox)).to.deep.equal(["gap ahead 9 to 1", "m1"]);
  });

  it("does not go back for a response that is older than the messages that have arrived", () => {
    const inbox = begun(3);
    inbox.accept(message(4), 0);
    inbox.resumed(hello(3), resumed(4, 3), { epoch: EPOCH, seq: 3 });
    expect(taken(inbox)).to.deep.equal(["m4"]);
    expect(inbox.request().cursor?.seq).to.equal(4);

    const first = new Inbox(10, undefined);
    first.resumed(hello(0), resumed(1, 0), undefined);
    first.accept(message(1), 0);
    first.resumed(hello(0), resumed(1, 0), undefined);
    first.accept(message(1), 0);
    expect(taken(first)).to.deep.equal(["m1"]);
  });

  it("skips a message of an epoch that has ended", () => {
    const inbox = begun(5);
    inbox.accept(message(6, { epoch: "e0" }), 0);
    expect(inbox.missing, "it might be a new one").to.equal(true);
    inbox.resumed(hello(5), resumed(6, 5), { epoch: EPOCH, seq: 5 });
    expect(inbox.missing).to.equal(false);
    inbox.accept(message(6), 0);
    expect(taken(inbox)).to.deep.equal(["m6"]);
  });

  it("keeps no more than the limit of early messages, and requests the others", () => {
    const inbox = begun(0, 3);
    for (const seq of [2, 3, 4, 5, 6]) inbox.accept(message(seq), 0);
    inbox.accept(message(1), 0);
    expect(taken(inbox)).to.deep.equal(["m1", "m2", "m3", "m4"]);
    expect(inbox.missing).to.equal(true);
    expect(inbox.request().cursor?.seq).to.equal(4);
  });

  it("does not count messages it has had as early", () => {
    const inbox = begun(5, 3);
    for (const seq of [1, 2, 3, 4, 5, 7, 8, 9, 6]) inbox.accept(message(seq), 0);
    expect(taken(inbox)).to.deep.equal(["m6", "m7", "m8", "m9"]);
  });

  it("keeps no more than the limit of waiting messages, except for the requested page", () => {
    const inbox = begun(0, 3);
    for (const seq of [1, 2, 3, 4, 5]) inbox.accept(message(seq), 4);
    expect(inbox.busy).to.equal(true);
    expect(taken(inbox)).to.deep.equal(["m1", "m2", "m3", "m4"]);
    expect(inbox.busy).to.equal(false);
    expect(inbox.missing).to.equal(true);
  });

  it("treats a message without a body as expired", () => {
    const inbox = begun(0);
    inbox.accept(message(1, { body: undefined, expired: true }), 0);
    expect(inbox.take()).to.deep.equal({
      callback: "onExpired",
      cursor: { epoch: EPOCH, seq: 1 },
      value: { id: "id-1", epoch: EPOCH, seq: 1 },
    });
  });

  it("starts again after the last handed-over message, and keeps messages that cannot be requested again", () => {
    const inbox = begun(0);
    for (const seq of [1, 2, 3]) inbox.accept(message(seq), 0);
    inbox.done(inbox.take() as Item);
    inbox.acceptRaw("raw");
    inbox.start();
    expect(taken(inbox)).to.deep.equal(["raw"]);
    expect(inbox.request().cursor?.seq).to.equal(1);
  });

  it("requests after the last handled message, neither after one that waits nor after one that is being handled", () => {
    const inbox = begun(0);
    for (const seq of [1, 2, 3]) inbox.accept(message(seq), 0);
    expect(inbox.request().cursor).to.deep.equal({ epoch: EPOCH, seq: 0 });
    const first = inbox.take() as Item;
    expect(inbox.request().cursor?.seq, "it is being handled").to.equal(0);
    inbox.done(first);
    expect(inbox.request().cursor?.seq).to.equal(1);
    expect(taken(inbox)).to.deep.equal(["m2", "m3"]);
    expect(inbox.request().cursor?.seq).to.equal(3);
  });

  it("drops what it has when it comes again after such a request", () => {
    const inbox = begun(0);
    for (const seq of [1, 2, 3]) inbox.accept(message(seq), 0);
    inbox.resumed(hello(5), resumed(1, 5), inbox.request().cursor);
    for (const seq of [1, 2, 3, 4, 5]) inbox.accept(message(seq), 5);
    expect(taken(inbox)).to.deep.equal(["m1", "m2", "m3", "m4", "m5"]);
  });

  it("does not pass on again what was being handled when it started again", () => {
    const inbox = begun(0);
    for (const seq of [1, 2]) inbox.accept(message(seq), 0);
    const first = inbox.take() as Item;
    inbox.start();
    expect(inbox.request().cursor?.seq).to.equal(0);
    inbox.resumed(hello(2), resumed(1, 2), inbox.request().cursor);
    for (const seq of [1, 2]) inbox.accept(message(seq), 2);
    inbox.done(first);
    expect(taken(inbox)).to.deep.equal(["m2"]);
  });

  it("requests nothing that acknowledges the new numbers of a history that was set back, until the gap is handled", () => {
    const inbox = begun(8);
    inbox.accept(message(9), 0);
    const before = inbox.take() as Item;
    inbox.resumed(hello(4), resumed(1, 4, "ahead"), { epoch: EPOCH, seq: 8 });
    for (const seq of [1, 2, 3, 4]) inbox.accept(message(seq), 4);
    inbox.done(before);
    expect(inbox.request().cursor?.seq).to.equal(0);
    const gap = inbox.take() as Item;
    expect(inbox.request().cursor?.seq, "it is being handled").to.equal(0);
    inbox.done(gap);
    expect(inbox.request().cursor?.seq).to.equal(0);
    inbox.done(inbox.take() as Item);
    expect(inbox.request().cursor?.seq).to.equal(1);
  });

  it("reports a gap again if it starts again before the gap is handed over", () => {
    const inbox = begun(8);
    inbox.resumed(hello(4), resumed(1, 4, "ahead"), { epoch: EPOCH, seq: 8 });
    inbox.start();
    expect(inbox.request().cursor?.seq).to.equal(8);
    inbox.resumed(hello(4), resumed(1, 4, "ahead"), inbox.request().cursor);
    expect(taken(inbox)).to.deep.equal(["gap ahead 8 to 1"]);
  });

  it("restores the order of messages that arrive in any order", () => {
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
  for (let item; (item = inbox.take()); inbox.done(item)) items.push(item);
  return items.map(({ callback, value }) =>
    callback === "onMessage"
      ? value.body
      : callback === "onExpired"
        ? `expired ${value.seq}`
        : callback === "onGap"
          ? `gap ${value.lost} ${value.after?.seq ?? 0} to ${value.first}`
          : callback,
  );
}
