import { expect } from "chai";
import { recipient } from "../endToEnd/relay";
import type { RelayPage } from "./relayPage";
import { pageRun } from "./relayPage";

/** The longest heartbeat that the form takes, in seconds: what is half-open stays so. */
const never = 540;

describe("a panel of the page", () => {
  let page: RelayPage;
  const run = pageRun(["-c", "delivery=replay"], (opened) => (page = opened));

  it("says the state in a word, a shape and a colour", async () => {
    const seen: string[][] = [];
    const look = async (state: string) => {
      await page.untilState(state);
      await page.page.bringToFront();
      seen.push((await page.page.evaluate(stateSeen)) as string[]);
    };
    await look("closed");
    const to = recipient("two-tabs");
    await page.connect(to, never);
    await look("connected");
    await page.page.click("#half-open");
    await look("half-open");
    expect(await page.text("#state-help")).to.match(/Nothing gets through/);
    await page.page.click("#connect");
    await page.untilConnected();
    const other = await page.openOtherTab();
    await look("superseded");
    await other.close();
    expect(seen.map(([word, shape]) => `${shape} ${word}`)).to.deep.equal([
      "○ Not connected",
      "● Connected",
      "▲ Half-open",
      "▲ Taken over",
    ]);
    const [closed, connected, halfOpen] = seen.map(([, , colour]) => colour);
    expect(new Set([closed, connected, halfOpen]).size).to.equal(3);
  });

  it("takes a connection that somebody else cut for half-open, too", async () => {
    await page.connect(recipient(), never);
    const id = encodeURIComponent(await page.text("#connection"));
    await fetch(`${run.relay.addresses.controlUrl}/connections/${id}/half-open`, { method: "POST" });
    await page.untilState("half-open");
  });

  it("has at most one primary button, which looks like no other", async () => {
    const panels = (await page.page.evaluate(
      `[...document.querySelectorAll("section")].map((section) => [...section.querySelectorAll("button.primary")].map(({ id }) => id).join())`,
    )) as string[];
    expect(panels).to.deep.equal(["connect", "publish", "half-open", "", "raw-connect", ""]);
    await page.connect(recipient());
    const looks = (await page.page.evaluate(
      `[...document.querySelectorAll("button:not(#take-back, [aria-disabled=true])")].map((button) => [button.className, getComputedStyle(button).backgroundColor].join())`,
    )) as string[];
    expect(new Set(looks).size).to.equal(2);
  });

  it("lets one cut and disconnect only while there is something to", async () => {
    const cuts = ["half-open", "drop", "lose-disconnect"];
    const enabled = async () => {
      const ids = ["disconnect", ...cuts];
      const states = await Promise.all(ids.map((id) => page.isEnabled(id)));
      return ids.filter((_, at) => states[at]);
    };
    const requests: string[] = [];
    page.page.on("request", (request) => requests.push(new URL(request.url()).pathname));

    expect(await enabled()).to.deep.equal([]);
    expect(await page.text("#cut-result")).to.equal("No connection to cut: connect first.");
    for (const id of cuts) await page.page.dispatchEvent(`#${id}`, "click");
    await page.page.dispatchEvent("#disconnect", "click");

    await page.connect(recipient(), never);
    expect(await enabled()).to.deep.equal(["disconnect", ...cuts]);
    expect(requests.filter((path) => /half-open|drop|faults/.test(path))).to.deep.equal([]);

    await page.page.click("#half-open");
    await page.untilState("half-open");
    expect(await enabled()).to.deep.equal(["disconnect"]);
    // The keyboard's place is kept.
    expect(await page.page.evaluate("document.activeElement.id")).to.equal("half-open");

    await page.page.click("#disconnect");
    await page.untilState("closed");
    expect(await enabled()).to.deep.equal([]);
    expect(await page.text("#cut-result")).to.equal("No connection to cut: connect first.");
  });

  it("says what will appear in it as long as it is empty", async () => {
    await page.page.click("#clear");
    const hints = page.page.locator(".empty:visible");
    const texts = await hints.allInnerTexts();
    expect(texts.map((text) => /appears? here/.test(text))).to.deep.equal([true, true, true, true]);
    await page.connect(recipient());
    await page.publish("hello");
    await page.untilShown("hello");
    await page.untilDrawn(/acknowledge: ok/);
    expect(await hints.allInnerTexts()).to.deep.equal(["Messages appear here as the raw client receives them."]);
    await page.page.click("#disconnect");
    await page.untilDrawn(/^Lambda to Gateway: 200 \$disconnect/);
    await page.page.click("#clear");
    expect(await hints.count()).to.equal(2);
  });

  it("says next to its button what came of a publication and of a cut, on a phone as well", async () => {
    await page.page.setViewportSize({ width: 360, height: 740 });
    await page.connect(recipient());
    const isNear = async (result: string, button: string) => {
      const [one, other] = await Promise.all([result, button].map((id) => page.page.locator(id).boundingBox()));
      return one && other && Math.abs(one.y - other.y - other.height) < 60;
    };
    await page.publish("hello");
    await page.page.locator("#since", { hasText: "Since then: received 1." }).waitFor();
    expect(await page.text("#published")).to.equal("Published 1 of 1.");
    expect(await isNear("#published", "#publish")).to.equal(true);
    await page.page.click("#lose-disconnect");
    await page.untilNoticed(/Cut: The connection broke, and the relay was not notified\./);
    await page.page.locator("#cut-result", { hasText: "Connected again after" }).waitFor();
    expect(await page.text("#cut-result")).to.match(
      /^The connection broke, and the relay was not notified\. .*noticed/,
    );
    expect(await isNear("#cut-result", "#lose-disconnect")).to.equal(true);
    await page.page.click("#disconnect");
    await page.publish("no client");
    await page.page.locator("#since", { hasText: "received 0. The client is not connected." }).waitFor();
  });

  for (const [device, width] of [
    ["desktop", 1280],
    ["phone", 360],
  ] as const) {
    it(`stays where it is while messages come and the network is cut, on a ${device}`, async () => {
      await page.page.setViewportSize({ width, height: 800 });
      const tops = () =>
        page.page.evaluate("[...document.querySelectorAll('section')].map(({ offsetTop }) => offsetTop)");
      const before = await tops();
      await page.connect(recipient());
      expect(await tops()).to.deep.equal(before);
      await page.page.fill("#count", "30");
      await page.page.click("#burst");
      await page.page.locator("#shown", { hasText: "30" }).waitFor();
      expect(await tops()).to.deep.equal(before);
      await page.page.click("#half-open");
      await page.page.locator("#cut-result", { hasText: "Connected again after" }).waitFor();
      expect(await tops()).to.deep.equal(before);
    });
  }

  it("draws each step with its time, in columns over the whole width, and no label beyond it", async () => {
    await page.connect(recipient("a-context-with-a-name-that-is-longer-than-an-arrow-and-the-column-next-to-it"));
    await page.publish("hello");
    await page.untilDrawn(/acknowledge: ok/);
    const rows = (await page.page.evaluate(rowsSeen)) as { time: string; at: string; isInside: boolean }[];
    expect(rows.length).to.be.above(10);
    expect(rows.filter(({ isInside }) => !isInside)).to.deep.equal([]);
    expect(rows.filter(({ time }) => !/^\d\d:\d\d:\d\d\.\d{3}$/.test(time))).to.deep.equal([]);
    for (const { time, at } of rows) expect(time.slice(-6)).to.equal(at.slice(-7, -1));
    const { box, last } = (await page.page.evaluate(widthsSeen)) as { box: number; last: number };
    expect(last).to.be.closeTo(box, 3);
    // An arrow's ends are below the names of those that it leads from and to.
    expect(await page.page.evaluate(arrowSeen)).to.equal(true);
  });

  it("draws a session whose context is called ping, and of its steps no heartbeat until asked to", async () => {
    await page.connect(recipient("ping"));
    await page.untilDrawn(/^Client to Gateway: open .* context=ping/);
    const heartbeat = /^Client to Gateway: message ping/;
    await page.page.check("#heartbeats");
    await page.untilDrawn(heartbeat);
    await page.page.uncheck("#heartbeats");
    await page.page.click("#clear");
    await page.publish("hello");
    await page.untilDrawn(/acknowledge: ok/);
    expect(await page.page.locator("#diagram li", { hasText: heartbeat }).count()).to.equal(0);
  });

  it("links to the docs, which the control server has itself", async () => {
    const links = page.page.locator("nav a");
    const addresses = await links.evaluateAll((found) =>
      found.map((each) => (each as unknown as { href: string }).href),
    );
    expect(addresses.length).to.be.above(3);
    for (const address of addresses) {
      expect(new URL(address).origin).to.equal(run.relay.addresses.controlUrl);
      const answer = await fetch(address);
      expect([answer.status, answer.headers.get("content-type")]).to.deep.equal([200, "text/plain; charset=utf-8"]);
      expect(await answer.text()).to.match(/^# /);
    }
    const opening = page.page.context().waitForEvent("page");
    await links.first().click();
    const docs = await opening;
    expect(await docs.locator("body").innerText()).to.match(/^# /);
    await docs.close();
  });
});

const stateSeen = `(() => {
  const state = document.getElementById("state");
  const before = getComputedStyle(state, "::before").content.replaceAll('"', "");
  return [state.innerText, before, getComputedStyle(state).color];
})()`;

const rowsSeen = `(() => {
  const box = document.getElementById("diagram");
  return [...box.querySelectorAll("li")].map((row) => {
    const label = row.querySelector(".label").getBoundingClientRect();
    const time = row.querySelector("time");
    const { left, right } = box.getBoundingClientRect();
    return { time: time.textContent, at: time.dateTime, isInside: label.left >= left && label.right <= right };
  });
})()`;

const widthsSeen = `(() => {
  const box = document.getElementById("diagram");
  const last = [...box.querySelectorAll(".name")].at(-1);
  const { left } = box.getBoundingClientRect();
  return { box: box.clientWidth, last: last.getBoundingClientRect().right - left };
})()`;

const arrowSeen = `(() => {
  const box = document.getElementById("diagram");
  const middle = (name) => {
    const { left, width } = [...box.querySelectorAll(".name")].find(({ textContent }) => textContent === name).getBoundingClientRect();
    return left + width / 2;
  };
  return [...box.querySelectorAll("li")].every((row) => {
    const [, from, to] = /^(\\w+) to (\\w+):/.exec(row.textContent);
    const arrow = row.querySelector(".arrow");
    const { left, right } = arrow.getBoundingClientRect();
    const [start, end] = arrow.classList.contains("right") ? [left, right] : [right, left];
    return Math.abs(start - middle(from)) < 2 && Math.abs(end - middle(to)) < 2;
  });
})()`;
