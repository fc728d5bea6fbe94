import { EventEmitter, once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import { roleArn } from "../../../local/iam/roles";
import { LambdaService } from "../../../local/lambda/lambdaService";
import { Fixture } from "../gateway/gatewayFixture";
import { everything, registerRole } from "../iam/roles";

/** A gateway whose `$connect` has one environment and room for one more invocation to wait; the test answers it. */
class BusyGateway {
  readonly fixture: Fixture;
  /** The invocations that have begun. */
  readonly begun: http.ServerResponse[] = [];
  private readonly happened = new EventEmitter();
  private readonly service: LambdaService;
  private readonly server = http.createServer((_, response) => {
    this.begun.push(response);
    this.happened.emit("begun");
  });

  constructor() {
    const iam = new Iam();
    registerRole(iam, "r", everything);
    const limits = { maxEnvironments: 1, maxWaiting: 1 };
    this.service = new LambdaService({ environment: () => ({}), log: () => undefined, iam, ...limits });
    this.fixture = new Fixture({ invoker: this.service, iam });
  }

  async start(): Promise<void> {
    await once(this.server.listen(0, "127.0.0.1"), "listening");
    const { port } = this.server.address() as AddressInfo;
    const handler = `exports.handler = () => new Promise((resolve) =>
      require("http").get("http://127.0.0.1:${port}", (answer) => answer.resume().on("end", () => resolve({ statusCode: 200 }))));`;
    await this.service.putFunction({
      name: "relay",
      roleArn: roleArn("r"),
      code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(handler) }),
      handler: "index.handler",
      runtime: "nodejs24.x",
      timeoutSeconds: 60,
      memorySizeMb: 128,
      variables: {},
    });
    const permission = { action: "lambda:InvokeFunction", principal: "apigateway.amazonaws.com" };
    this.service.addPermission("relay", { statementId: "gateway", ...permission });
    await this.fixture.deployed("$connect");
  }

  /** A client whose `$connect` has been asked for. */
  async client() {
    const asked = this.traced(/^\$connect/);
    const client = this.fixture.client();
    await asked;
    return client;
  }

  async traced(label: RegExp): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = this.fixture.trace.subscribe((event) => {
        if (!label.test(event.label)) return;
        end();
        resolve();
      });
    });
  }

  async nextBegun(): Promise<http.ServerResponse> {
    while (this.begun.length === 0) await once(this.happened, "begun");
    return this.begun.shift() as http.ServerResponse;
  }

  async close(): Promise<void> {
    await this.fixture.close();
    await this.service.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe("a gateway above its capacity", () => {
  let busy: BusyGateway;
  beforeEach(async () => {
    busy = new BusyGateway();
    await busy.start();
  });
  afterEach(() => busy.close());

  it("refuses a handshake with 500, and logs what is full", async () => {
    await busy.client();
    const running = await busy.nextBegun();
    await busy.client();

    const { refused } = await busy.client();

    expect((await refused).status).to.equal(500);
    expect(busy.fixture.logs).to.have.length(1);
    expect(busy.fixture.logs[0]).to.match(
      /\$connect of stage dev: arn:\S+:function:relay is throttled: Rate Exceeded: its 1 execution environments are busy, and 1 invocations wait for one$/,
    );
    running.end();
  });

  it("never begins the handshake of a client that gave up while it waited, and gives its place to the next", async () => {
    const first = await busy.client();
    const running = await busy.nextBegun();
    const second = await busy.client();
    const gaveUp = busy.traced(/^gave up \S+ before \$connect began$/);
    second.ws.terminate();
    await gaveUp;
    expect(busy.fixture.gateways.connections()).to.have.length(1);
    const third = await busy.client();

    running.end();

    await first.opened;
    (await busy.nextBegun()).end();
    await third.opened;
    expect(busy.begun).to.deep.equal([]);
    expect(busy.fixture.logs).to.deep.equal([]);
    expect(busy.fixture.gateways.connections().map(({ state }) => state)).to.deep.equal(["open", "open"]);
  });
});
