import { once } from "node:events";
import { expect } from "chai";
import { recipient, Relay } from "./relay";

describe("the control server", () => {
  let relay: Relay;
  before(async () => {
    relay = await Relay.start();
  });
  after(() => relay.stop());

  const post = (path: string, body?: unknown) =>
    fetch(`${relay.addresses.controlUrl}${path}`, {
      method: "POST",
      ...(body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });

  const refused: unknown[] = [
    {},
    { unknown: 1 },
    { management: 404, times: 1 },
    { management: 410 },
    { crash: "backend", times: 1 },
    { crash: "deliver", times: 1.5 },
    { jwks: "gone" },
    { table: "hold" },
    { table: "hold-answers", after: -1 },
    { table: "release", after: 1 },
    { disconnects: true },
    { jwks: "down", table: "release" },
  ];
  for (const fault of refused) {
    it(`refuses the fault ${JSON.stringify(fault)}, saying what is allowed`, async () => {
      const response = await post("/faults", fault);
      expect(response.status).to.equal(400);
      expect(await response.text()).to.include("allowed");
    });
  }

  it("sums what the functions have counted, of which this relay's are the metrics", async () => {
    const response = await fetch(`${relay.addresses.controlUrl}/metrics`);
    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal([]);
  });

  it("takes JSON whatever the content type says, and refuses what is none", async () => {
    const send = (body: string, type: string) =>
      fetch(`${relay.addresses.controlUrl}/faults`, { method: "POST", headers: { "content-type": type }, body });
    expect((await send('{"jwks":"up"}', "application/x-www-form-urlencoded")).status).to.equal(204);
    expect((await send('{"jwks":"up"}', "text/plain")).status).to.equal(204);
    const refused = await send("jwks=up", "application/json");
    expect(refused.status).to.equal(400);
    expect(await refused.text()).to.include("allowed");
    const empty = await fetch(`${relay.addresses.controlUrl}/connections/none=/drop`, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    expect(empty.status).to.equal(404);
  });

  it("says that a connection is not there", async () => {
    for (const action of ["drop", "half-open"]) {
      const response = await post(`/connections/none=/${action}`);
      expect(response.status).to.equal(404);
      expect(await response.text()).to.include("none=");
    }
  });

  it("drops a connection abruptly, which the gateway notices", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    const connectionId = (await relay.session(to))?.connection_id?.S ?? "";
    const closed = once(client.socket, "close");
    expect((await post(`/connections/${encodeURIComponent(connectionId)}/drop`)).status).to.equal(204);
    expect((await closed)[0]).to.equal(1006);
    await relay.log({ event: "disconnected", connectionId });
    expect(await relay.session(to)).to.equal(undefined);
  });
});
