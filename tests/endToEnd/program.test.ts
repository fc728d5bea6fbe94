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

  it("is refused where it fails, with its own error", async () => {
    const starting = startProgram(`const relay = new WebsocketRelay("relay", { auth, stageName: "a b" });`);
    const error = await starting.then(
      (started) => started.stop(),
      (reason: Error) => reason,
    );
    expect(error?.message).to.include("error: ").and.include("stageName");
  });
});
