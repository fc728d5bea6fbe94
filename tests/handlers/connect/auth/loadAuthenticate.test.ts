import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { loadAuthenticate } from "../../../../handlers/connect/auth/loadAuthenticate";

describe("loadAuthenticate", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "authenticate-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("loads the callback out of the archive", async () => {
    writeFileSync(join(folder, "authenticate.js"), "exports.handler = async ({ query }) => ({ code: query.user });");
    const authenticate = loadAuthenticate({ LAMBDA_TASK_ROOT: folder });
    const handshake = { headers: {}, query: { user: "42" }, cookies: {}, sourceIp: "" };
    expect(await authenticate(handshake)).to.deep.equal({ code: "42" });
  });

  it("throws where the archive has no callback", () => {
    expect(() => loadAuthenticate({ LAMBDA_TASK_ROOT: folder })).to.throw(/Cannot find module .*authenticate.js/);
  });

  it("throws where the file exports no function", () => {
    writeFileSync(join(folder, "authenticate.js"), "exports.handler = { code: 1 };");
    expect(() => loadAuthenticate({ LAMBDA_TASK_ROOT: folder })).to.throw("exports no function named handler");
  });

  it("throws where nothing says where the archive is", () => {
    expect(() => loadAuthenticate({})).to.throw("LAMBDA_TASK_ROOT is not set");
  });
});
