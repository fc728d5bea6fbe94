import { expect } from "chai";
import { recipient } from "../endToEnd/relay";
import { chunkBodies, chunkBody } from "../support/streams";
import type { RelayPage } from "./relayPage";
import { pageRun } from "./relayPage";

describe("the page of a relay in replay mode", () => {
  let page: RelayPage;
  const run = pageRun(["-c", "delivery=replay"], (opened) => (page = opened));

  it("shows a message that the backend publishes, with its number, and how it came, drawn", async () => {
    await page.connect(recipient());
    await page.publish("Your report is ready");
    await page.untilShown("Your report is ready");
    expect(await page.shown()).to.deep.equal(["1 live Your report is ready"]);
    await page.untilDrawn(/^BackendApi to Publisher: publish/);
    await page.untilDrawn(/^Lambda to HistoryDB: append number 1: ok/);
    await page.untilDrawn(/^Gateway to Client: message 1 /);
    await page.untilDrawn(/^Lambda to HistoryDB: acknowledge: ok/);
    expect(await page.text("#cursor")).to.match(/^1 /);
  });

  it("shows the text of a stream as one entry that grows, over a connection that is lost", async () => {
    await page.connect(recipient());
    const [first = "", ...others] = chunkBodies(["Your ", "report "]);
    await page.publish(first);
    await page.untilShown("Your ");
    await page.page.click("#drop");
    for (const body of [...others, chunkBody(12, "is ready", { end: "closed" })]) await page.publish(body);
    await page.untilShown("Your report is ready");
    expect(await page.text("#shown")).to.equal("1");
    await page.untilNoticed(/stream s1: closed/);
  });

  it("shows what was lost in a half-open connection once its heartbeat has found out: in order, once", async () => {
    await page.connect(recipient());
    await page.publish("before");
    await page.untilShown("before");
    await page.page.click("#half-open");
    await page.publish("lost");
    // Accepted and lost: the gateway answers the relay 200, and no error shows it.
    await page.untilDrawn(/^Gateway to Client: message 2 .* is lost, unnoticed/);
    await page.untilNoticed(/Waiting to reconnect.*no answer to a ping/);
    await page.untilShown("lost");
    await page.untilConnected();
    await page.publish("after");
    await page.untilShown("after");
    expect(await page.shown()).to.deep.equal(["1 live before", "2 replayed lost", "3 live after"]);
    expect([await page.text("#replayed"), await page.text("#gaps")]).to.deep.equal(["1", "0"]);
  });

  it("shows a burst that was published into a half-open connection, whole and in order", async () => {
    await page.connect(recipient());
    await page.page.click("#half-open");
    await page.page.fill("#message", "part");
    await page.page.fill("#count", "30");
    await page.page.click("#burst");
    await page.untilNoticed(/Waiting to reconnect/);
    await page.untilConnected();
    await page.page.locator("#shown", { hasText: "30" }).waitFor();
    const numbers = (await page.shown()).map((entry) => Number(entry.split(" ")[0]));
    expect(numbers).to.deep.equal(Array.from({ length: 30 }, (_, at) => at + 1));
  });

  it("comes back from an abrupt loss, and shows what was published meanwhile", async () => {
    await page.connect(recipient());
    await page.page.click("#drop");
    await page.untilNoticed(/Waiting to reconnect/);
    await page.publish("meanwhile");
    await page.untilShown("meanwhile");
    await page.untilDrawn(/^Client to Gateway: the connection is cut/);
    expect((await page.shown()).map((entry) => entry.replace(/live|replayed/, "·"))).to.deep.equal(["1 · meanwhile"]);
  });

  it("comes back where the gateway has not told the relay that the connection ended", async () => {
    await page.connect(recipient());
    await page.page.click("#lose-disconnect");
    await page.untilDrawn(/^Gateway to Lambda: \$disconnect .* is lost/);
    await page.untilNoticed(/Waiting to reconnect/);
    await page.untilConnected();
    await page.publish("hello");
    await page.untilShown("hello");
    expect(await page.shown()).to.deep.equal(["1 live hello"]);
    // The next one is told again.
    await page.page.click("#disconnect");
    await page.untilDrawn(/^Lambda to Gateway: 200 \$disconnect/);
  });

  it("shows a message once that the backend publishes twice under one id", async () => {
    await page.connect(recipient());
    await page.page.fill("#message-id", "order-7");
    await page.publish("once");
    await page.untilShown("once");
    await page.publish("once");
    await page.page.fill("#message-id", "");
    await page.publish("another");
    await page.untilShown("another");
    expect(await page.shown()).to.deep.equal(["1 live once", "2 live another"]);
  });

  it("leaves the session to another tab that takes it over, without a fight, and takes it back when told", async () => {
    const to = recipient("two-tabs");
    const handshakes = page.page.locator("#diagram li", { hasText: /^Client to Gateway: open .*context=two-tabs/ });
    await page.connect(to);
    const other = await page.openOtherTab();
    await page.untilState("superseded");
    // The browser draws what is behind a few times a second at most.
    await page.page.bringToFront();
    expect(await page.page.locator("#superseded").isVisible()).to.equal(true);

    await page.publish("to the other page");
    await other.untilShown("to the other page");
    await other.untilDrawn(/acknowledge: ok/);
    expect([await handshakes.count(), await page.shown()]).to.deep.equal([2, []]);
    await page.untilState("superseded");

    await page.page.click("#take-back");
    await other.untilState("superseded");
    await page.untilConnected();
    expect(await page.page.locator("#superseded").isVisible()).to.equal(false);
    await page.publish("back");
    await page.untilShown("back");
    expect([await handshakes.count(), await other.shown()]).to.deep.equal([3, ["1 live to the other page"]]);
    // This tab has missed the first one, and is sent it, although another one has acknowledged it.
    expect(await page.shown()).to.deep.equal(["1 replayed to the other page", "2 live back"]);
    other.expectNoProblem();
    await other.close();
  });

  it("goes on where it was when the page is loaded again", async () => {
    const to = recipient();
    await page.connect(to);
    await page.publish("seen");
    await page.untilShown("seen");
    await page.page.click("#disconnect");
    await page.publish("missed");
    await page.untilDrawn(/append number 2: ok/);
    await page.page.reload();
    await page.connect(to);
    await page.untilShown("missed");
    expect(await page.shown()).to.deep.equal(["2 replayed missed"]);
  });

  it("counts a message that expired while the client was away, and shows the one after it", async () => {
    const to = recipient();
    await page.connect(to);
    await page.page.click("#disconnect");
    await page.untilDrawn(/^Lambda to Gateway: 200 \$disconnect/);
    await page.page.click("#clear");
    const expiresAtMs = Date.now() + 1_500;
    await run.relay.publish({ ...to, expiresAt: new Date(expiresAtMs).toISOString() }, "too late");
    await page.untilDrawn(/append number 1: ok/);
    while (Date.now() <= expiresAtMs) await new Promise(setImmediate);
    await page.publish("in time");
    await page.untilDrawn(/append number 2: ok/);
    await page.connect(to);
    await page.untilShown("in time");
    expect(await page.shown()).to.deep.equal(["2 replayed in time"]);
    expect(await page.text("#expired")).to.equal("1");
    await page.untilNoticed(/#1 had expired/);
  });

  it("says that messages are missing where its cursor is of a history that is gone", async () => {
    const to = recipient();
    await page.connect(to);
    await page.publish("first");
    await page.untilShown("first");
    await page.page.click("#disconnect");
    const key = JSON.stringify(["cursor", to.user, to.context, to.contextId]);
    const cursor = JSON.stringify({ epoch: "another", seq: 17 });
    await page.page.evaluate(`sessionStorage.setItem(${JSON.stringify(key)}, ${JSON.stringify(cursor)})`);
    await page.page.reload();
    await page.connect(to);
    await page.untilShown("first");
    await page.untilNoticed(/messages are missing before #1: epoch/);
    expect(await page.text("#gaps")).to.equal("1");
  });

  it("shows what a message says as text, whatever it says", async () => {
    await page.connect(recipient());
    const text = '<img src="x" onerror="alert(1)"><script>alert(2)</script>';
    await page.publish(text);
    await page.untilShown("<img");
    expect(await page.shown()).to.deep.equal([`1 live ${text}`]);
    expect(await page.page.locator("#messages img, #messages script").count()).to.equal(0);
  });

  it("says in words what the backend refused, next to the button and among the events", async () => {
    await page.page.fill("#context", "a#b");
    await page.publish("hello");
    await page.untilNoticed(/Error: context/);
    expect(await page.text("#published")).to.match(/^Error: context/);
    // The browser says by itself that a request was answered 400.
    expect(page.problems.splice(0).join()).to.match(/400/);
    await page.page.fill("#context", "chat");
    await page.publish("hello");
    await page.page.locator("#published", { hasText: "Published 1 of 1." }).waitFor();
  });

  it("says in which order messages are shown: that of their numbers, and how to keep that of publishing", async () => {
    const text = await page.visibleText();
    expect(text).to.match(/in the order of their numbers: the order in which the relay stored them/);
    expect(text).to.include("-c ordering=strict");
  });

  it("counts nothing as lost: what a half-open connection swallowed is replayed", async () => {
    // Long enough for the message to be posted before the client notices.
    await page.connect(recipient(), 3);
    await page.page.click("#half-open");
    await page.publish("swallowed");
    await page.untilDrawn(/^Gateway to Client: message 1 .* is lost, unnoticed/);
    await page.untilShown("swallowed");
    await page.page.locator("#cut-result", { hasText: "Replayed: 1 message." }).waitFor();
    expect(await page.text("#cut-result")).to.match(/noticed after .*no answer to a ping.*Connected again after/);
    expect(await page.text("#since")).to.equal("Since then: received 1.");
    expect([await page.text("#lost"), await page.visibleText()]).to.satisfy(([lost, text]: [string, string]) => {
      return lost === "0" && !text.includes("Lost:");
    });
  });
});
