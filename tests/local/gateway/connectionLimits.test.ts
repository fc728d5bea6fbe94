import { expect } from "chai";
import { Fixture } from "./gatewayFixture";

const tenMinutesMs = 10 * 60_000;
const twoHoursMs = 2 * 60 * 60_000;

describe("the local gateway's connections", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

  describe("limits", () => {
    it("takes a frame of 32 KB and closes with 1009 at one byte more, without invoking anything", async () => {
      await fixture.deployed("$default");
      const { client } = await fixture.open();
      client.send("x".repeat(32768));
      await fixture.invoker.next("$default");
      client.send("x".repeat(32769));
      expect((await client.closed).code).to.equal(1009);
      expect(fixture.invoker.count("$default")).to.equal(1);
    });

    it("takes a message of 128 KB in fragments of 32 KB", async () => {
      await fixture.deployed("$default");
      const { client } = await fixture.open();
      for (let part = 1; part <= 4; part++) client.ws.send("x".repeat(32768), { fin: part === 4 });
      expect((await fixture.invoker.next("$default")).event.body).to.equal("x".repeat(131072));
    });

    it("closes with 1009 once the fragments of a message exceed 128 KB", async () => {
      await fixture.deployed("$default", "$disconnect");
      const { client } = await fixture.open();
      for (let part = 1; part <= 5; part++) client.ws.send("x".repeat(32768), { fin: part === 5 });
      expect((await client.closed).code).to.equal(1009);
      const { requestContext } = (await fixture.invoker.next("$disconnect")).event;
      expect(requestContext.disconnectStatusCode).to.equal(1009);
      expect(fixture.invoker.count("$default")).to.equal(0);
    });

    it("closes with 1003 at a binary frame", async () => {
      await fixture.deployed("$default");
      const { client } = await fixture.open();
      client.ws.send(Buffer.from("binary"));
      expect((await client.closed).code).to.equal(1003);
      expect(fixture.invoker.count("$default")).to.equal(0);
    });

    it("closes with 1003 at the first fragment of a binary message", async () => {
      await fixture.deployed("$default");
      const { client } = await fixture.open();
      client.ws.send(Buffer.from("bin"), { fin: false });
      expect((await client.closed).code).to.equal(1003);
    });

    it("closes an idle connection with 1001", async () => {
      fixture = new Fixture({ timeScale: tenMinutesMs / 20 });
      await fixture.deployed("$disconnect");
      const closing = fixture.traced("close 1001");
      const client = fixture.client();
      expect(await client.closed).to.deep.equal({ code: 1001, reason: "Going away" });
      expect(await closing).to.contain("idle timeout");
      const { requestContext } = (await fixture.invoker.next("$disconnect")).event;
      expect(requestContext).to.include({ disconnectStatusCode: 1001, disconnectReason: "Going away" });
    });

    it("closes a connection at its maximum duration with 1001, however busy it is", async () => {
      fixture = new Fixture({ timeScale: twoHoursMs / 8_400 });
      await fixture.deployed("$disconnect");
      const closing = fixture.traced("close 1001");
      const client = fixture.client();
      client.ws.on("open", () => client.ws.ping());
      client.ws.on("pong", () => client.ws.ping());
      expect((await client.closed).code).to.equal(1001);
      expect(await closing).to.contain("maximum duration");
    });
  });
});
