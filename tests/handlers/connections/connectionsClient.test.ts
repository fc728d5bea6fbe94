import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { expect } from "chai";
import { ManagementApiConnections } from "../../../handlers/connections/connectionsClient";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";

function connectionsWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new ApiGatewayManagementApiClient({
    ...fakeCredentials,
    endpoint: "https://api.test/dev",
    maxAttempts: 1,
    requestHandler,
  });
  return { connections: new ManagementApiConnections(client), requests };
}

function failWith(fields: object): never {
  throw Object.assign(new Error("socket"), fields);
}

describe("ManagementApiConnections", () => {
  it("posts the body as it is, below the stage, with the id encoded", async () => {
    const { connections, requests } = connectionsWith(() => ({}));
    expect(await connections.post("a+b=", "hé")).to.deep.equal({ result: "delivered" });
    expect(requests.map(({ method, path, text }) => [method, path, text])).to.deep.equal([
      ["POST", "/dev/@connections/a%2Bb%3D", "hé"],
    ]);
  });

  for (const [status, result] of [
    [400, "gone"],
    [410, "gone"],
    [403, "forbidden"],
    [413, "payload-too-large"],
    [429, "throttled"],
    [404, "gateway-error"],
    [500, "gateway-error"],
    [503, "gateway-error"],
  ] as const) {
    const answers: [string, Record<string, string>, unknown][] = [
      ["named by its error type", { "x-amzn-errortype": "GoneException" }, { message: "m" }],
      ["without an error type", {}, { message: "m" }],
      ["with a body that is no JSON", {}, "<html>"],
      ["with an empty body", {}, ""],
    ];
    for (const [name, headers, body] of answers) {
      it(`answers ${result} to a ${status} ${name}, at the first try`, async () => {
        const { connections, requests } = connectionsWith(() => ({ status, headers, body }));
        expect((await connections.post("c1", "x")).result).to.equal(result);
        expect(requests).to.have.length(1);
      });
    }
  }

  for (const code of ["ECONNRESET", "EPIPE"]) {
    it(`tries once more after ${code}, which is what a stale socket gives`, async () => {
      const { connections, requests } = connectionsWith((_, index) =>
        index === 0 ? failWith({ code, name: "TimeoutError" }) : {},
      );
      expect(await connections.post("c1", "x")).to.deep.equal({ result: "delivered" });
      expect(requests).to.have.length(2);
    });

    it(`answers network-error to a second ${code}`, async () => {
      const { connections, requests } = connectionsWith(() => failWith({ code, name: "TimeoutError" }));
      expect((await connections.post("c1", "x")).result).to.equal("network-error");
      expect(requests).to.have.length(2);
    });
  }

  for (const [fields, result] of [
    [{ code: "ECONNREFUSED" }, "network-error"],
    [{ code: "ENOTFOUND" }, "network-error"],
    [{ code: "ETIMEDOUT", name: "TimeoutError" }, "timeout"],
    [{ name: "TimeoutError" }, "timeout"],
  ] as const) {
    it(`answers ${result} to ${JSON.stringify(fields)}, at the first try`, async () => {
      const { connections, requests } = connectionsWith(() => failWith(fields));
      expect((await connections.post("c1", "x")).result).to.equal(result);
      expect(requests).to.have.length(1);
    });
  }

  it("answers timeout to a post that was aborted, and does not try again", async () => {
    const { connections, requests } = connectionsWith(() => failWith({ code: "ECONNRESET" }));
    expect((await connections.post("c1", "x", AbortSignal.abort())).result).to.equal("timeout");
    expect(requests).to.have.length(1);
  });

  for (const [status, gone] of [
    [200, false],
    [410, true],
  ] as const) {
    it(`takes a connection for ${gone ? "" : "not "}gone when the gateway answers ${status}`, async () => {
      const { connections, requests } = connectionsWith(() => ({ status }));
      expect(await connections.isGone("c1")).to.equal(gone);
      expect(requests.map(({ method, path }) => `${method} ${path}`)).to.deep.equal(["GET /dev/@connections/c1"]);
    });
  }

  for (const status of [400, 403, 429, 500]) {
    it(`does not say whether a connection is gone when the gateway answers ${status}`, async () => {
      const { connections } = connectionsWith(() => ({ status }));
      const answer = await connections.isGone("c1").catch((error: Error) => error);
      expect(answer).to.be.instanceOf(Error);
    });
  }

  for (const [status, result] of [
    [204, "closed"],
    [410, "gone"],
    [400, "gone"],
  ] as const) {
    it(`takes a connection for ${result} when the gateway answers ${status} to closing it`, async () => {
      const { connections, requests } = connectionsWith(() => ({ status }));
      expect(await connections.close("c1")).to.equal(result);
      expect(requests.map(({ method, path }) => `${method} ${path}`)).to.deep.equal(["DELETE /dev/@connections/c1"]);
    });
  }

  for (const status of [403, 429, 500]) {
    it(`throws when the gateway answers ${status} to closing a connection`, async () => {
      const { connections } = connectionsWith(() => ({ status }));
      expect(await connections.close("c1").catch((error: Error) => error)).to.be.instanceOf(Error);
    });
  }

  it("closes a connection at the second try where the first met a stale socket", async () => {
    const { connections, requests } = connectionsWith((_, index) =>
      index === 0 ? failWith({ code: "ECONNRESET" }) : { status: 204 },
    );
    expect(await connections.close("c1")).to.equal("closed");
    expect(requests).to.have.length(2);
  });
});
