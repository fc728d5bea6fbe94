import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { type ClientOptions, WebSocket } from "ws";
import type { Connection } from "../../../local/gateway/connection";
import { Gateways, type GatewaysOptions } from "../../../local/gateway/gateways";
import type { Invocation, Invoker } from "../../../local/lambda/invoker";
import { apiGatewayResources } from "../../../local/provision/apiGateway";
import { customDomainResources } from "../../../local/provision/customDomain";
import type { Properties } from "../../../local/provision/resource";
import { Trace } from "../../../local/trace/trace";
import type { TraceEvent, TraceFailure } from "../../../local/trace/traceEvent";
import { resourceOf } from "../provision/resourceOf";

export const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:relay";
export const invokeArn = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`;

/* eslint-disable @typescript-eslint/no-explicit-any -- events are read as a handler reads them, by their JSON */
export interface Invoked {
  functionArn: string;
  event: any;
  caller?: { principal: string; sourceArn: string };
}

/** Answers each route by its own function, and keeps what it was invoked with. */
export class FakeInvoker implements Invoker {
  readonly invoked: Invoked[] = [];
  readonly routes: Record<string, (event: any) => Promise<Invocation> | Invocation> = {};
  private readonly waiting: { routeKey: string; resolve: (invoked: Invoked) => void }[] = [];

  async invoke(functionArn: string, event: any, caller?: Invoked["caller"]): Promise<Invocation> {
    const invoked = { functionArn, event, caller };
    this.invoked.push(invoked);
    const routeKey = event.requestContext.routeKey as string;
    for (const wait of this.waiting) if (wait.routeKey === routeKey) wait.resolve(invoked);
    return (await this.routes[routeKey]?.(event)) ?? { payload: { statusCode: 200 } };
  }

  /** The first invocation for a route, past or to come. */
  async next(routeKey: string): Promise<Invoked> {
    const past = this.invoked.find(({ event }) => event.requestContext.routeKey === routeKey);
    return past ?? new Promise((resolve) => this.waiting.push({ routeKey, resolve }));
  }

  count(routeKey: string): number {
    return this.invoked.filter(({ event }) => event.requestContext.routeKey === routeKey).length;
  }
}

/** A gateway on a free port, its resources created as a provider would, and the clients that a test opened. */
export class Fixture {
  readonly invoker = new FakeInvoker();
  readonly trace = new Trace();
  readonly labels: string[] = [];
  readonly events: TraceEvent[] = [];
  readonly logs: string[] = [];
  readonly gateways: Gateways;
  readonly resources;
  readonly clients: Client[] = [];
  apiId = "";
  apiEndpoint = "";
  executionArn = "";

  constructor(options: Partial<GatewaysOptions> = {}) {
    const { invoker, trace } = this;
    const log = (line: string) => void this.logs.push(line);
    this.trace.subscribe((event) => {
      this.labels.push(`${event.from}->${event.to}: ${event.label}`);
      this.events.push(event);
    });
    this.gateways = new Gateways({ invoker, trace, timeScale: 1, loseDisconnects: false, log, ...options });
    this.resources = {
      ...apiGatewayResources(this.gateways, new Set(["access"])),
      ...customDomainResources(this.gateways),
    };
  }

  /** What was traced as failed, and of which connection. */
  get failures(): [connectionId: string | undefined, failure: TraceFailure][] {
    return this.events.flatMap(({ connectionId, failure }) => (failure ? [[connectionId, failure]] : []));
  }

  async create(type: string, inputs: Properties, name = "test"): Promise<{ id: string; outputs: Properties }> {
    const resource = this.resources[tokenOf(type)];
    if (!resource) throw new Error(`no resource ${type}`);
    return resource.create({ name, inputs: type === "api" ? inputs : { apiId: this.apiId, ...inputs } });
  }

  resource(type: string) {
    return resourceOf(this.resources, tokenOf(type));
  }

  async api(): Promise<void> {
    const inputs = { protocolType: "WEBSOCKET", routeSelectionExpression: "$request.body.action" };
    const { id, outputs } = await this.create("api", inputs);
    this.apiId = id;
    this.apiEndpoint = outputs.apiEndpoint as string;
    this.executionArn = outputs.executionArn as string;
  }

  /** A route to the function. */
  async route(routeKey: string, integration: Properties = {}, route: Properties = {}): Promise<string> {
    const { id } = await this.create("integration", {
      integrationType: "AWS_PROXY",
      integrationMethod: "POST",
      integrationUri: invokeArn,
      ...integration,
    });
    return (await this.create("route", { routeKey, target: `integrations/${id}`, ...route })).id;
  }

  async deploy(stage: Properties = {}): Promise<string> {
    const deployment = await this.create("deployment", {});
    await this.create("stage", { name: "dev", deploymentId: deployment.id, ...stage });
    return deployment.id;
  }

  /** An API with the given routes to the function, deployed to the stage `dev`. */
  async deployed(...routeKeys: string[]): Promise<this> {
    await this.api();
    for (const routeKey of routeKeys) await this.route(routeKey);
    await this.deploy();
    return this;
  }

  client(path = "/dev", protocols: string[] = [], options: ClientOptions = {}): Client {
    const client = new Client(`${this.apiEndpoint}${path}`, protocols, options);
    this.clients.push(client);
    return client;
  }

  /** An open client and its connection's id. */
  async open(path = "/dev"): Promise<{ client: Client; id: string }> {
    const before = new Set(this.gateways.connections().map(({ id }) => id));
    const client = this.client(path);
    await client.opened;
    const id = this.gateways.connections().find((connection) => !before.has(connection.id))?.id;
    if (!id) throw new Error("no connection");
    return { client, id };
  }

  manage(method: string, id: string, body?: string | Buffer, stage = "dev"): Promise<Answer> {
    return this.http(method, `/${stage}/@connections/${encodeURIComponent(id)}`, body);
  }

  async http(method: string, path: string, body?: string | Buffer): Promise<Answer> {
    const request = httpRequest(`${this.apiEndpoint.replace("ws:", "http:")}${path}`, { method, agent: false });
    request.end(body);
    const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() };
  }

  connection(id: string): Connection {
    const found = this.gateways.server(this.apiId).api.connections.get(id);
    if (!found) throw new Error("no connection");
    return found;
  }

  /** Resolves with the label once something is traced that contains `text`. */
  traced(text: string): Promise<string> {
    return new Promise((resolve) => {
      this.trace.subscribe(({ label }) => {
        if (label.includes(text)) resolve(label);
      });
    });
  }

  async close(): Promise<void> {
    await this.gateways.close();
    for (const { ws } of this.clients) ws.terminate();
  }
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A client that misses no message: its queue is there before it is open. */
export class Client {
  readonly ws: WebSocket;
  readonly opened: Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** The answer of a handshake that was refused. */
  readonly refused: Promise<{ status: number; body: string }>;
  /** What has arrived and was not asked for yet. */
  readonly unread: string[] = [];
  private readonly waiting: ((message: string) => void)[] = [];

  constructor(url: string, protocols: string[], options: ClientOptions) {
    this.ws = new WebSocket(url, protocols, options);
    this.ws.on("message", (data: Buffer, isBinary) => {
      const message = isBinary ? "(binary)" : data.toString();
      const next = this.waiting.shift();
      if (next) next(message);
      else this.unread.push(message);
    });
    this.ws.on("error", () => undefined);
    this.opened = new Promise((resolve, reject) => {
      this.ws.on("open", resolve);
      this.ws.on("error", reject);
    });
    this.opened.catch(() => undefined);
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.refused = new Promise((resolve, reject) => {
      this.ws.on("open", () => reject(new Error("the handshake was accepted")));
      this.ws.on("unexpected-response", (_, response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        });
      });
    });
    this.refused.catch(() => undefined);
  }

  async message(): Promise<string> {
    return this.unread.shift() ?? new Promise((resolve) => this.waiting.push(resolve));
  }

  send(message: unknown): void {
    this.ws.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Resolves when a frame has made its way to the gateway and back: what was sent before it has arrived. */
  async roundTrip(): Promise<void> {
    const pong = new Promise<void>((resolve) => this.ws.once("pong", () => resolve()));
    this.ws.ping();
    await pong;
  }
}

/** The type token of a resource of API Gateway. */
function tokenOf(type: string): string {
  return `aws:apigatewayv2/${type}:${type[0]?.toUpperCase()}${type.slice(1)}`;
}
