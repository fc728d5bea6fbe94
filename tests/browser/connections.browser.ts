import { expect } from "chai";
import { recipient } from "../endToEnd/relay";
import { pageRun, type RelayPage } from "./relayPage";

/** The longest heartbeat that the form takes, in seconds: what is half-open stays so. */
const never = 540;

for (const delivery of ["replay", "retry"] as const) {
  describe(`two tabs and a raw client on one session, with connections all, in ${delivery} mode`, () => {
    let page: RelayPage;
    let other: RelayPage;
    const scale = delivery === "retry" ? ["--time-scale", "10"] : [];
    pageRun(["-c", `delivery=${delivery}`, "-c", "connections=all", ...scale], (opened) => (page = opened));
    afterEach(async () => {
      other.expectNoProblem();
      await other.close();
    });

    const bodies = async (tab: RelayPage) => (await tab.shown()).map((entry) => entry.split(" ").slice(2).join(" "));
    const untilAllHave = async (message: string) => {
      await Promise.all([page.untilShown(message), other.untilShown(message), page.untilShownRaw(message)]);
    };
    /** Connects all three, and has them receive one message. */
    const connect = async (heartbeatSeconds?: number) => {
      await page.connect(recipient("several"), heartbeatSeconds);
      other = await page.openOtherTab();
      await page.page.bringToFront();
      await page.connectRaw();
      await page.publish("first");
      await untilAllHave("first");
    };

    it("all get each message, and none of them is taken over", async () => {
      await connect();
      await page.publish("second");
      await untilAllHave("second");
      for (const tab of [page, other]) {
        expect(await bodies(tab)).to.deep.equal(["first", "second"]);
        expect(await tab.text("#state")).to.equal("Connected");
      }
      expect(await page.shownRaw()).to.deep.equal(["first", "second"]);
      expect([await page.text("#raw-shown"), await page.text("#raw-lost")]).to.deep.equal(["2", "0"]);
    });

    for (const cut of ["half-open", "drop"] as const) {
      it(`recover from a cut of each (${cut}), while the others go on`, async () => {
        await connect();
        await page.page.click(`#${cut}`);
        await page.untilNoticed(/Waiting to reconnect/);
        await page.untilConnected();
        await page.publish("after the first tab");
        await untilAllHave("after the first tab");

        await other.page.bringToFront();
        await other.page.click(`#${cut}`);
        await other.untilNoticed(/Waiting to reconnect/);
        await other.untilConnected();
        await page.page.bringToFront();
        await page.publish("after the second tab");
        await untilAllHave("after the second tab");

        const connection = await page.text("#raw-connection");
        await page.page.click(`#raw-${cut}`);
        await page.page.locator("#raw-connection", { hasNotText: connection }).waitFor();
        await page.untilRawConnected();
        await page.publish("after the raw client");
        await untilAllHave("after the raw client");

        const all = ["first", "after the first tab", "after the second tab", "after the raw client"];
        expect([await bodies(page), await bodies(other), await page.shownRaw()]).to.deep.equal([all, all, all]);
      });
    }

    it("tell a half-open raw connection's loss, which the tabs do not have", async () => {
      await connect(never);
      await page.page.click("#raw-half-open");
      await page.page.locator('#raw-state[data-state="half-open"]').waitFor();
      await page.publish("lost");
      await Promise.all([page.untilShown("lost"), other.untilShown("lost")]);
      await page.page.locator("#raw-lost", { hasText: "1" }).waitFor();
      await page.untilDrawn(/^Gateway to Raw client: message .* is lost, unnoticed/);
      expect([await page.shownRaw(), await page.text("#lost")]).to.deep.equal([["first"], "0"]);
    });

    it("are told apart in the diagram", async () => {
      await connect();
      await page.untilDrawn(/^Client to Gateway: open /);
      await page.untilDrawn(/^Raw client to Gateway: open /);
      const ids = await Promise.all([page, other].map((tab) => tab.text("#connection")));
      ids.push(await page.text("#raw-connection"));
      const rows = page.page.locator("#diagram li");
      const classes = [];
      for (const id of ids) {
        const row = rows.filter({ hasText: new RegExp(`^Gateway to (Raw client|Client): 101 …?${id.slice(-5)}`) });
        classes.push(await row.first().getAttribute("class"));
      }
      expect(classes).to.deep.equal(["own", "", "own raw"]);
    });

    if (delivery === "replay") {
      it("each get what they have missed: a tab that was away, although others have acknowledged it", async () => {
        await connect();
        await other.page.bringToFront();
        await other.page.click("#disconnect");
        await other.untilState("closed");
        await page.page.bringToFront();
        await page.publish("missed");
        await Promise.all([page.untilShown("missed"), page.untilShownRaw("missed")]);
        await page.untilDrawn(/acknowledge: ok/);
        await other.page.bringToFront();
        await other.page.click("#connect");
        await other.untilShown("missed");
        expect(await other.shown()).to.deep.equal(["1 live first", "2 replayed missed"]);
      });
    }
  });
}

describe("the raw client of the page, alone on its session", () => {
  let page: RelayPage;
  pageRun(["-c", "delivery=replay"], (opened) => (page = opened));

  it("gets what was published while it was away, soon after it is back", async () => {
    await page.page.fill("#user", recipient().user);
    await page.page.fill("#heartbeat", "0.3");
    await page.connectRaw();
    await page.publish("here");
    await page.untilShownRaw("here");
    await page.page.click("#raw-disconnect");
    await page.untilDrawn(/^Lambda to Gateway: 200 \$disconnect/);
    await page.publish("meanwhile");
    await page.untilDrawn(/append number 2: ok/);
    await page.connectRaw();
    await page.untilShownRaw("meanwhile");
    expect(await page.shownRaw()).to.deep.equal(["here", "meanwhile"]);
  });
});

describe("the raw client of the page, with connections newest, in retry mode", () => {
  let page: RelayPage;
  pageRun(["--time-scale", "10"], (opened) => (page = opened));

  it("takes the session from the page's client, and recovers from each cut", async () => {
    await page.connect(recipient());
    await page.connectRaw();
    await page.publish("to the raw client");
    await page.untilShownRaw("to the raw client");
    expect(await page.shown()).to.deep.equal([]);
    for (const cut of ["half-open", "drop"]) {
      const connection = await page.text("#raw-connection");
      await page.page.click(`#raw-${cut}`);
      await page.page.locator("#raw-connection", { hasNotText: connection }).waitFor();
      await page.untilRawConnected();
      await page.publish(`after ${cut}`);
      await page.untilShownRaw(`after ${cut}`);
    }
    expect(await page.shownRaw()).to.deep.equal(["to the raw client", "after half-open", "after drop"]);
    await page.page.click("#raw-disconnect");
    await page.page.locator('#raw-state[data-state="closed"]').waitFor();
    expect(await page.isEnabled("raw-half-open")).to.equal(false);
  });
});
