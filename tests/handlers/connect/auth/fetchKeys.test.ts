import { once } from "node:events";
import type { RequestListener } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { generate } from "selfsigned";
import { ATTEMPT_TIMEOUT_MS, fetchKeys } from "../../../../handlers/connect/auth/fetchKeys";
import { refusal } from "../../../support/refusal";

describe("fetchKeys", () => {
  let server: https.Server;
  let uri: string;
  let requests: number;
  let agent: https.Agent;

  let certificate: { cert: string; private: string };
  before(async () => {
    certificate = await generate([{ name: "commonName", value: "localhost" }], {
      keyType: "ec",
      algorithm: "sha256",
      extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
    });
  });
  beforeEach(() => {
    requests = 0;
    // As NODE_EXTRA_CA_CERTS would, which Node reads only when it starts.
    agent = new https.Agent({ ca: certificate.cert });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });

  const serve = async (answer: (...args: [...Parameters<RequestListener>, request: number]) => void) => {
    const options = { key: certificate.private, cert: certificate.cert };
    server = https.createServer(options, (request, response) => answer(request, response, ++requests));
    await once(server.listen(0, "127.0.0.1"), "listening");
    uri = `https://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  };

  it("answers the body", async () => {
    await serve((_, response) => response.write("[1,", () => response.end("2]")));
    expect(new TextDecoder().decode(await fetchKeys(uri, { agent }))).to.equal("[1,2]");
    expect(requests).to.equal(1);
  });

  it("tries again once where no answer comes, or half of one", async () => {
    await serve((request, response, count) => {
      if (count === 2) return response.end("ok");
      response.write("[1,", () => request.socket.destroy());
    });
    expect(new TextDecoder().decode(await fetchKeys(uri, { agent }))).to.equal("ok");
  });

  it("names the URI and the reason where no answer comes again", async () => {
    await serve((request) => request.socket.destroy());
    const { message } = await refusal(fetchKeys(uri, { agent }));
    expect(message).to.match(/^GET https:\/\/127\.0\.0\.1:\d+\/keys: /);
    expect(requests).to.equal(2);
  });

  it("takes no other scheme than https", async () => {
    await serve(() => undefined);
    expect((await refusal(fetchKeys(uri.replace("https", "http"), { agent }))).message).to.include(
      'Protocol "http:" not supported',
    );
  });

  it("trusts no certificate without a trusted issuer", async () => {
    await serve((_, response) => response.end("[]"));
    expect((await refusal(fetchKeys(uri))).message).to.match(/self-signed certificate/);
  });

  for (const status of [500, 404, 204]) {
    it(`refuses ${status}, at once`, async () => {
      await serve((_, response) => response.writeHead(status).end());
      expect((await refusal(fetchKeys(uri, { agent }))).message).to.include(`got status ${status}; expected 200`);
      expect(requests).to.equal(1);
    });
  }

  it("follows no redirect", async () => {
    await serve((_, response) => response.writeHead(302, { location: "/elsewhere" }).end("moved"));
    expect((await refusal(fetchKeys(uri, { agent }))).message).to.include("got status 302");
    expect(requests).to.equal(1);
  });

  it("takes 512 KB, and reads no more than a little beyond", async () => {
    await serve((_, response) => response.end("x".repeat(512 * 1024)));
    expect((await fetchKeys(uri, { agent })).byteLength).to.equal(512 * 1024);
    server.removeAllListeners("request").on("request", (_request, response) => {
      // Without an end: a reader that waits for one waits for ever.
      response.write("x".repeat(512 * 1024 + 1));
    });
    expect((await refusal(fetchKeys(uri, { agent }))).message).to.include("got more than 524288 bytes");
  });

  it("gives each of two attempts a time of its own", async () => {
    await serve(() => undefined);
    let attempts = 0;
    const { createConnection } = agent;
    agent.createConnection = (...args) => (attempts++, createConnection.apply(agent, args));
    const error = await refusal(fetchKeys(uri, { agent, timeoutMs: 20 }));
    expect(error.message).to.match(/^GET https:.*aborted due to timeout$/);
    expect(attempts).to.equal(2);
  });

  it("takes three seconds for an attempt by default", () => {
    expect(ATTEMPT_TIMEOUT_MS).to.equal(3_000);
  });
});
