import { expect } from "chai";
import { recipient } from "../endToEnd/relay";
import { pageRun, type RelayPage } from "./relayPage";

describe("the page of a relay in retry mode", () => {
  let page: RelayPage;
  const run = pageRun(["--time-scale", "10"], (opened) => (page = opened));

  it("says that there are no numbers, and shows messages without", async () => {
    expect(await page.text("#delivery")).to.match(/^Retry mode: messages have no numbers/);
    await page.connect(recipient());
    await page.publish("hello");
    await page.untilShown("hello");
    expect(await page.shown()).to.deep.equal(["- - hello"]);
    expect(await page.text("#messages")).to.match(/^\d\d:\d\d:\d\d\.\d{3}hello$/);
  });

  it("shows a message that was published while the client was away, once it is back", async () => {
    const to = recipient();
    await page.connect(to);
    await page.page.click("#disconnect");
    await page.untilDrawn(/^Lambda to Gateway: 200 \$disconnect/);
    await page.publish("meanwhile");
    await page.untilDrawn(/^Lambda to Publisher: retry/);
    await page.page.click("#connect");
    await page.untilShown("meanwhile");
    expect(await page.shown()).to.deep.equal(["- - meanwhile"]);
  });

  it("counts a message that a half-open connection swallowed as lost, draws it, and does not show it", async () => {
    await page.connect(recipient());
    await page.publish("before");
    await page.untilShown("before");
    expect(await page.text("#lost")).to.equal("0");
    await page.page.click("#half-open");
    await page.publish("lost");
    await page.untilDrawn(/^Gateway to Client: message .* is lost, unnoticed/);
    await page.page.locator("#lost", { hasText: "1" }).waitFor();
    await page.untilNoticed(/Lost: a message that the gateway accepted for the half-open connection/);
    // By now the client may have noticed, and the page says that, too.
    expect(await page.text("#since")).to.match(/^Since then: received 0, lost 1\./);
    await page.untilNoticed(/Waiting to reconnect/);
    await page.untilConnected();
    await page.publish("after");
    await page.untilShown("after");
    expect(await page.shown()).to.deep.equal(["- - before", "- - after"]);
    expect([await page.text("#shown"), await page.text("#lost")]).to.deep.equal(["2", "1"]);
    expect(await page.text("#cut-result")).to.match(/Connected again after .* Lost: 1 message\./);
  });

  it("counts each message of a burst once, as received or as lost", async () => {
    await page.connect(recipient());
    await page.page.click("#half-open");
    await page.page.fill("#message", "part");
    await page.page.fill("#count", "8");
    await page.page.click("#burst");
    await page.untilNoticed(/Waiting to reconnect/);
    // What was published after the client had noticed is sent again, and arrives.
    const sums = [1, 2, 3, 4, 5, 6, 7, 8].map((lost) => `received ${8 - lost}, lost ${lost}\\.`);
    await page.page.locator("#since", { hasText: new RegExp(sums.join("|")) }).waitFor();
    expect(await page.page.locator("#messages li").count()).to.equal(Number(await page.text("#shown")));
    expect(Number(await page.text("#lost"))).to.be.at.least(1);
  });

  it("does not count what another client's connection swallowed", async () => {
    const to = recipient("another-client");
    await run.relay.connect(to);
    const all = (await (await fetch(`${run.relay.addresses.controlUrl}/connections`)).json()) as Connection[];
    const id = all.find(({ tag }) => tag === undefined)?.id ?? "none";
    await fetch(`${run.relay.addresses.controlUrl}/connections/${encodeURIComponent(id)}/half-open`, {
      method: "POST",
    });
    await page.connect(recipient());
    await run.relay.publish(to, "swallowed");
    await page.untilDrawn(new RegExp(`^Gateway to Client: message …${id.slice(-5)} is lost, unnoticed`));
    expect(await page.text("#lost")).to.equal("0");
  });

  it("hides what only replay has: numbers, cursor, replayed, duplicates, expired, gaps, message ids, the history", async () => {
    await page.connect(recipient());
    await page.publish("hello");
    await page.untilShown("hello");
    const text = await page.visibleText();
    expect(text).not.to.match(/cursor|replayed|duplicates|expired|gaps|message id|HistoryDB|#1\b|strict/i);
    expect(text).to.match(/Received 1 Lost 0 Shown as they arrive, which may differ from the order of publishing/);
  });
});

interface Connection {
  id: string;
  tag?: string;
}
