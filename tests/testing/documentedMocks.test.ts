import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";
import { repository } from "../support/repository";

/** As in Pulumi's guide: a resource has the attributes that it was given. */
const program = `
  const pulumi = require("@pulumi/pulumi");
  pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => ({ id: name + "_id", state: inputs }),
    call: ({ inputs }) => inputs,
  });
  // Passed by, as mocha does.
  process.on("unhandledRejection", () => {});
  const { WebsocketRelay } = require("./components");
  new WebsocketRelay("relay", { auth: { oidc: { issuer: "https://login.acme.dev", audience: "acme" } } });
`;

describe("a relay under mocks that answer nothing of what AWS computes", () => {
  it("says what they leave out, and names the test kit", async () => {
    const preloaded = ["-r", "./transpile"];
    const { stderr } = await promisify(execFile)(process.execPath, [...preloaded, "-e", program], { cwd: repository });
    expect(stderr).to.include("apiEndpoint of relay-api is undefined");
    expect(stderr).to.include("arn of relay-topic is undefined");
    expect(stderr).to.include("runUnderMocks of pulumi-websocket-relay/testing");
  });
});
