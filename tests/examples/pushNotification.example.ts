import { writeFileSync } from "node:fs";
import { expect } from "chai";
import { History } from "../endToEnd/history";
import { type Recipient, recipient, Relay } from "../endToEnd/relay";
import { ReplayClient } from "../endToEnd/replayClient";
import { ExampleCopy } from "./exampleCopy";
import { PushDouble, type PushSubscription } from "./pushDouble";

/** Longer than `waitingAfterSeconds` in the example's stack, so that the sweeper's next run finds the message waiting. */
const LONG_AGO_SECONDS = 120;

describe("the backend of the push example", function () {
  let example: ExampleCopy;
  let relay: Relay;
  let history: History;
  let pushes: PushDouble;
  let origin: string;
  let publicKey: string;

  before(async () => {
    example = new ExampleCopy("push-notification");
    await example.installProgram();
    await example.install("backend", []);
    relay = await Relay.start(["--program", example.folder, "--stack", "local"]);
    writeFileSync(example.path("relay.json"), JSON.stringify(relay.addresses));
    history = new History(relay);
    pushes = await PushDouble.start();
    const start = ". ./local.sh; exec npm start --silent --prefix backend";
    origin = await example.serve("bash", ["-ec", start], { env: { PORT: "0" } });
    publicKey = await (await fetch(`${origin}/public-key`)).text();
  });
  after(async () => {
    await example?.remove();
    await pushes?.stop();
    history?.close();
    await relay?.stop();
  });

  const post = (body: unknown) => fetch(`${origin}/devices`, { method: "POST", body: JSON.stringify(body) });
  const register = async ({ user }: Recipient) => {
    const { device, subscription } = pushes.subscribe(publicKey);
    expect((await post({ user, device: subscription })).status).to.equal(200);
    return device;
  };

  it("tells a user who is away, at each device that is still subscribed, and none who is connected", async () => {
    const [present, away] = [recipient(), recipient()];
    const presentDevice = await register(present);
    const client = await ReplayClient.connect(relay, present);
    await relay.publish({ ...present }, "Your report is ready");
    await client.message(1);
    await client.acknowledge(1);
    await history.untilAcknowledged(present, 1);
    await history.age(present, LONG_AGO_SECONDS);
    await relay.sweep();
    expect((await history.log(present)).at(-1)?.dueAtMs).to.be.above(Date.now());

    const [device, gone] = [await register(away), await register(away)];
    gone.isGone = true;
    for (const message of ["Your report is ready", "So is mine"]) await relay.publish({ ...away }, message);
    await relay.untilQueueIsEmpty();
    await history.age(away, LONG_AGO_SECONDS);
    await relay.sweep();
    await device.until(() => device.received.length === 2);

    for (const { notification, ttl, claims } of device.received) {
      const { context, contextId } = away;
      expect(notification).to.deep.equal({ title: "You have a new message", context, contextId });
      expect(ttl).to.equal("86400");
      expect(claims.sub).to.equal("mailto:you@example.com");
    }
    expect(gone.refused).to.equal(1);
    expect(presentDevice.received).to.deep.equal([]);
    await client.client.close();
  });

  it("lets the page of the local run connect", async () => {
    expect(await relay.pageHandshake(recipient())).to.equal(101);
  });

  it("serves the page that registers a browser, and its service worker", async () => {
    const page = await fetch(origin);
    expect(page.headers.get("content-type")).to.equal("text/html");
    expect(await page.text()).to.include("/service-worker.js");
    const worker = await fetch(`${origin}/service-worker.js`);
    expect(worker.headers.get("content-type")).to.equal("text/javascript");
    expect(await worker.text()).to.include("showNotification");
  });

  it("refuses a device that has no endpoint, and any other request", async () => {
    const device: Partial<PushSubscription> = {};
    expect((await post({ user: "42", device })).status).to.equal(400);
    expect((await fetch(`${origin}/other`)).status).to.equal(404);
  });
});
