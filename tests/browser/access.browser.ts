import { expect } from "chai";
import { recipient } from "../endToEnd/relay";
import { browserRun, RelayPage } from "./relayPage";

/** Whoever looks at the page, and with what; and who is kept out. */
describe("the page", () => {
  const run = browserRun(["-c", "delivery=replay"]);

  it("fits a phone: nothing of it is wider than 360 pixels, nor scrolls sideways", async () => {
    const page = await RelayPage.open(run.browser, run.relay, { viewport: { width: 360, height: 740 } });
    await page.connect(recipient());
    await page.publish(`long${"-".repeat(300)}`);
    await page.untilShown("long");
    await page.untilDrawn(/acknowledge: ok/);
    await page.page.click("#half-open");
    await page.untilNoticed(/Waiting to reconnect/);
    await page.untilConnected();
    const widths = "[document.documentElement.scrollWidth, document.body.scrollWidth]";
    expect(await page.page.evaluate(widths)).to.deep.equal([360, 360]);
    const scrolling =
      "[...document.querySelectorAll('.box')].filter((box) => box.scrollWidth > box.clientWidth).map(({ id }) => id)";
    expect(await page.page.evaluate(scrolling)).to.deep.equal([]);
    // The diagram in words, with the times.
    expect(await page.page.innerText("#diagram li:last-child")).to.match(/^\w+ to \w+: .+\n\d\d:\d\d:\d\d\.\d{3}$/);
    // A finger's width: https://www.w3.org/TR/WCAG22/#target-size-minimum has 24 pixels.
    const heights = await page.page
      .locator("button:visible")
      .evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().height));
    expect(Math.min(...heights)).to.be.at.least(40);
    page.expectNoProblem();
    await page.close();
  });

  it("is used by keyboard alone, from loading it to a message that was recovered, and shows where one is", async () => {
    const page = await RelayPage.open(run.browser, run.relay);
    const { keyboard } = page.page;
    const focused = async () =>
      (await page.page.evaluate(
        "(({ id }, { outlineStyle, outlineWidth }) => [id, outlineStyle, outlineWidth])" +
          "(document.activeElement, getComputedStyle(document.activeElement))",
      )) as [id: string, style: string, width: string];
    const passed: string[] = [];
    /** Tabs on; everything on the way has to be seen. */
    const tabTo = async (id: string) => {
      for (let steps = 0; steps < 30; steps += 1) {
        await keyboard.press("Tab");
        const [at, style, width] = await focused();
        expect([style, parseFloat(width) >= 2], `${at} shows that it has the focus`).to.deep.equal(["solid", true]);
        passed.push(at);
        if (at === id) return;
      }
      throw new Error(`no Tab leads to ${id}, but to ${passed.join(", ")}`);
    };
    const to = recipient();
    await tabTo("user");
    await keyboard.type(to.user);
    await tabTo("heartbeat");
    await keyboard.type("0.3");
    await tabTo("connect");
    await keyboard.press("Enter");
    await page.untilConnected();
    await tabTo("message");
    await keyboard.type("by keyboard");
    await keyboard.press("Enter");
    await page.untilShown("by keyboard");
    await tabTo("half-open");
    await keyboard.press("Space");
    await page.untilNoticed(/Cut: The network is gone/);
    for (let steps = 0; (await focused())[0] !== "publish"; steps += 1) {
      expect(steps).to.be.below(10);
      await keyboard.press("Shift+Tab");
    }
    await keyboard.press("Enter");
    await page.untilDrawn(/^Gateway to Client: message 2 .* is lost/);
    await page.page.locator('#messages li[data-seq="2"]').waitFor();
    expect(await page.shown()).to.deep.equal(["1 live by keyboard", "2 replayed by keyboard"]);
    // What scrolls is reached too, and the order is the page's.
    await tabTo("diagram");
    expect(passed.slice(passed.indexOf("half-open"))).to.deep.equal([
      "half-open",
      "burst",
      "half-open",
      "drop",
      "lose-disconnect",
      "messages",
      "notices",
      "raw-connect",
      "raw-disconnect",
      "raw-half-open",
      "raw-drop",
      "raw-messages",
      "heartbeats",
      "clear",
      "diagram",
    ]);
    page.expectNoProblem();
    await page.close();
  });

  it("tells a screen reader what changes: state and messages as they come, and that the session was taken over", async () => {
    const page = await RelayPage.open(run.browser, run.relay);
    const attribute = (selector: string, name: string) => page.page.getAttribute(selector, name);
    expect(await attribute("#state", "aria-live")).to.equal("polite");
    expect(await attribute("#published", "aria-live")).to.equal("polite");
    // A log is a live region that is polite.
    const logs = await Promise.all(["#messages", "#notices", "#raw-messages"].map((id) => attribute(id, "role")));
    expect(logs).to.deep.equal(["log", "log", "log"]);
    expect(await attribute("#raw-state", "aria-live")).to.equal("polite");
    expect(await attribute("#superseded", "role")).to.equal("alert");
    for (const name of ["User", "Context", "Context id", "Message", "Heartbeat, seconds"]) {
      expect(await page.page.getByLabel(name, { exact: true }).count(), name).to.equal(1);
    }
    await page.connect(recipient());
    await page.publish("hello");
    await page.untilDrawn(/^Gateway to Client: message 1/);
    await page.close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`can be read in ${colorScheme}: every text has enough contrast with its background`, async () => {
      const page = await RelayPage.open(run.browser, run.relay);
      await page.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.connect(recipient());
      await page.publish("hello");
      await page.untilShown("hello");
      const seen = async () => (await page.page.evaluate(textColours)) as [text: string, colour: string, on: string][];
      const pairs = await seen();
      expect(pairs.length).to.be.above(30);
      // Half-open: nothing can be cut, and what is lost is said in its own colour.
      await page.page.click("#half-open");
      await page.publish("lost");
      await page.untilDrawn(/is lost, unnoticed/);
      pairs.push(...(await seen()));
      for (const state of ["closed", "connecting", "connected", "half-open", "waiting", "superseded"]) {
        await page.page.evaluate(`document.getElementById("state").dataset.state = "${state}"`);
        pairs.push(...(await seen()).slice(0, 20));
      }
      await page.page.evaluate(`document.getElementById("superseded").hidden = false`);
      pairs.push(...(await seen()));
      const faint = pairs.filter(([, colour, on]) => contrast(colour, on) < 4.5);
      expect(faint).to.deep.equal([]);
      const [, , page0 = ""] = pairs[0] ?? [];
      expect(luminance(page0) < 0.2).to.equal(colorScheme === "dark");
      page.expectNoProblem();
      await page.close();
    });
  }

  it("moves nothing for users who prefer reduced motion", async () => {
    const page = await RelayPage.open(run.browser, run.relay);
    await page.connect(recipient());
    await page.publish("hello");
    await page.untilShown("hello");
    const animation = () =>
      page.page.evaluate("getComputedStyle(document.querySelector('#messages li')).animationName");
    expect(await animation()).to.equal("arrive");
    await page.page.emulateMedia({ reducedMotion: "reduce" });
    expect(await animation()).to.equal("none");
    await page.close();
  });

  it("runs no script but its own, even if one gets into it", async () => {
    const page = await RelayPage.open(run.browser, run.relay);
    await page.page.evaluate(
      "document.body.append(Object.assign(document.createElement('script'), { textContent: 'document.title = \"taken\"' }))",
    );
    expect(await page.page.title()).not.to.equal("taken");
    expect(page.problems.join()).to.match(/Content Security Policy/);
    await page.close();
  });

  it("is the only one that drives the local run: what another page sends is refused, and it reads nothing", async () => {
    const page = await RelayPage.open(run.browser, run.relay);
    await page.connect(recipient());
    const connectionId = await page.text("#connection");
    const foreign = await run.browser.newPage();
    // Another origin of this machine: the issuer's.
    await foreign.goto(run.relay.addresses.jwksUrl);
    const send = (path: string, init: object) =>
      foreign.evaluate(
        `fetch(${JSON.stringify(run.relay.addresses.controlUrl + path)}, ${JSON.stringify(init)}).then((answer) => answer.text(), () => "refused")`,
      );
    const fault = JSON.stringify({ management: 410, times: 1 });
    // Without CORS a browser sends it all the same, and hides the answer: the server has to refuse it.
    await send("/faults", { method: "POST", body: fault, mode: "no-cors" });
    expect((await run.relay.management("GET", connectionId)).status).to.equal(200);
    expect(await send("/token?user=42", {})).to.equal("refused");
    expect(await send("/events", {})).to.equal("refused");
    await foreign.close();
    page.expectNoProblem();
    await page.close();
  });
});

/** In the browser: each visible text, its colour, and its background colour. */
const textColours = `[...document.querySelectorAll("body *")].flatMap((element) => {
  const text = [...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ data }) => data.trim()).join("");
  const box = element.getBoundingClientRect();
  if (text === "" || box.width < 2 || element.closest("svg")) return [];
  let under = element;
  while (under && getComputedStyle(under).backgroundColor === "rgba(0, 0, 0, 0)") under = under.parentElement;
  return [[text, getComputedStyle(element).color, getComputedStyle(under ?? document.body).backgroundColor]];
})`;

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio; 4.5 is its level AA. */
function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map((value) => {
    const part = Number(value) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
