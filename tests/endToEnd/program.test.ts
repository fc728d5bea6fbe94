import { expect } from "chai";
import { startProgram } from "./program";
import { recipient, type Relay } from "./relay";

describe("another program than index.ts", () => {
  let relay: Relay | undefined;
  afterEach(() => relay?.stop());

  it("runs with its own arguments, and its relay delivers", async () => {
    relay = await startProgram(`const relay = new WebsocketRelay("relay", { auth, stageName: "other" });`);
    expect(relay.addresses.websocketUrl).to.match(/\/other$/);
    const to = recipient();
    const client = await relay.connect(to);
    await relay.publish(to, "hello");
    await client.message("hello");
  });

  it("is told that it takes no local token where its issuer is in its code", async () => {
    const oidc = `{ issuer: "https://login.relay.dev", audience: "app" }`;
    relay = await startProgram(`const relay = new WebsocketRelay("relay", { auth: { oidc: ${oidc} } });`);
    const warning = await relay.line((line) => line.startsWith("warning: "), 0);
    expect(warning)
      .to.match(/relay-connect-\S+ accepts tokens of https:\/\/login\.relay\.dev alone/)
      .and.include('config.requireObject("auth")');
  });

  it("is told that it refuses the page where its origins are in its code, and not where it reads them", async () => {
    relay = await startProgram(`const relay = new WebsocketRelay("relay", { auth });`);
    const warning = await relay.line((line) => line.startsWith("warning: "), 0);
    expect(warning)
      .to.include(new URL(relay.addresses.pageUrl).origin)
      .and.include('config.getObject("allowedOrigins")');
    expect(await relay.pageHandshake(recipient())).to.equal(403);
    await relay.stop();
    const allowedOrigins = `new pulumi.Config().getObject("allowedOrigins")`;
    relay = await startProgram(
      `const relay = new WebsocketRelay("relay", { auth, allowedOrigins: ${allowedOrigins} });`,
    );
    expect(await relay.pageHandshake(recipient())).to.equal(101);
    expect(relay.lines.filter((line) => line.startsWith("warning: "))).to.deep.equal([]);
  });

  it("is refused where it fails, with its own error", async () => {
    const starting = startProgram(`const relay = new WebsocketRelay("relay", { auth, stageName: "a b" });`);
    const error = await starting.then(
      (started) => started.stop(),
      (reason: Error) => reason,
    );
    expect(error?.message).to.include("error: ").and.include("stageName");
  });
});
