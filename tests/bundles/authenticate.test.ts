import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { connectCallbacks } from "../../components/functions/connect";
import { bundleCallback } from "../../components/lambda/bundle";
import { bundleOwn } from "../../components/functions/ownBundle";
import { connectEvent } from "../support/events";
import { audience, issuer, jwks, token } from "../handlers/connect/auth/tokens";

describe("connect's bundle, with the user's own callback next to it", () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "authenticate-"));
    writeFileSync(join(folder, "index.js"), await bundleOwn(connectCallbacks.retry, false));
    const callback = await bundleCallback(async ({ headers }: { headers: Record<string, string> }) => {
      if (headers["x-api-key"] === undefined) throw new Error("no key");
      return Promise.resolve(headers["x-api-key"] === "good" ? { code: "42" } : null);
    });
    writeFileSync(join(folder, "authenticate.js"), callback);
  });
  after(() => rmSync(folder, { recursive: true }));

  const call = async (headers: Record<string, string>): Promise<string> => {
    const event = JSON.stringify(connectEvent({ headers }));
    const script = `require("./index.js").handler(${event}, { getRemainingTimeInMillis: () => 12_000 })`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["-e", script], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        AWS_REGION: "eu-west-1",
        AWS_ACCESS_KEY_ID: "x",
        AWS_SECRET_ACCESS_KEY: "x",
        // Nothing listens on port 1: the table is refused at once.
        AWS_ENDPOINT_URL: "http://127.0.0.1:1",
        LAMBDA_TASK_ROOT: folder,
        TABLE_NAME: "t",
        RELAY_NAME: "r",
        SESSION_TTL_SECONDS: "10800",
        CONNECTIONS: "newest",
        ALLOWED_ORIGINS: "[]",
        AUTH: '{"authenticate":true,"cookieName":"token"}',
      },
    });
    return stdout + stderr;
  };

  it("calls the callback, and gets as far as the table", async () => {
    const output = await call({ "X-Api-Key": "good" });
    expect(output)
      .to.match(/"Reason":"internal-error"/)
      .and.to.include("ECONNREFUSED");
    expect(output).not.to.include("authenticate threw");
  });

  it("refuses a user whom the callback refuses", async () => {
    expect(await call({ "X-Api-Key": "bad" })).to.match(/"Reason":"token-refused"/);
  });

  it("refuses with 500 if the callback throws, without asking the table", async () => {
    const output = await call({});
    expect(output)
      .to.match(/"Reason":"internal-error"/)
      .and.to.include("authenticate threw Error: no key");
    expect(output).not.to.include("ECONNREFUSED");
  });
});

describe("the user's own callback with the relay's verifier", () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "verifier-"));
    const callback = async ({ token }: { token?: string }) => {
      const { tokenVerifier } = require("pulumi-websocket-relay/verifier") as typeof import("../../verifier");
      const { user: code, claims } = await tokenVerifier({ oidc: { issuer, audience, jwks } })(token ?? "");
      return code === undefined ? null : { code: `${String(claims.tenant)}/${code}` };
    };
    writeFileSync(join(folder, "authenticate.js"), await bundleCallback(callback, resolve(__dirname, "../..")));
  });
  after(() => rmSync(folder, { recursive: true }));

  const call = async (token: string): Promise<unknown> => {
    const script = `
      const given = ${JSON.stringify({ token })};
      require("./authenticate.js").handler(given).then((answer) => console.log(JSON.stringify(answer)));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], { cwd: folder });
    return JSON.parse(stdout);
  };

  it("answers by the claims of a token that is verified, out of an empty folder", async () => {
    expect(await call(await token({ tenant: "acme", sub: 42 }))).to.deep.equal({ code: "acme/42" });
  });

  it("refuses a token that is not accepted", async () => {
    expect(await call(await token({ tenant: "acme", aud: "other" }))).to.equal(null);
  });
});
