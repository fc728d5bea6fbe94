import { Iam } from "../iam/iam";
import type { Invoker } from "../lambda/invoker";
import type { Trace } from "../trace/trace";
import { ApiServer, type ServerEnvironment } from "./apiServer";
import type { Connection, ConnectionState } from "./connection";
import { CustomDomains } from "./customDomains";
import type { ApiDefinition } from "./definition";
import { HttpApi } from "./httpApi";
import { shortId } from "./ids";
import type { ApiInputs } from "./inputs";
import { Listener } from "./listener";
import { badRequest, notFound } from "./controlPlaneError";

export interface GatewaysOptions {
  invoker: Invoker;
  trace: Trace;
  /** How many times as fast as on AWS the idle timeout and the maximum duration run. 1 is real time. */
  timeScale: number;
  /** Where the first registered API listens. @default a free port, as for all others */
  port?: number;
  /** Another address of this machine where the first API listens for WebSockets. @default 127.0.0.1 alone */
  host?: string;
  /** Delivers no `$disconnect`, which on AWS is best effort. */
  loseDisconnects: boolean;
  /** Gets a line where the client is told nothing but "Internal server error". @default nothing is logged */
  log?: (line: string) => void;
  /** Judges the calls to the management API. @default one without any role */
  iam?: Iam;
}

/** An API as its provider sees it. */
export interface RegisteredApi {
  id: string;
  apiEndpoint: string;
  executionArn: string;
  definition: ApiDefinition;
  removeStage(name: string): void;
}

/** The APIs of a local account: real sockets on 127.0.0.1, and the network between WebSocket APIs and their clients. */
export class Gateways implements ServerEnvironment {
  readonly invoker: Invoker;
  readonly trace: Trace;
  readonly iam: Iam;
  readonly timeScale: number;
  readonly customDomains = new CustomDomains();
  /** May be changed at any time. */
  loseDisconnects: boolean;
  private readonly servers = new Map<string, ApiServer>();
  private readonly httpApis = new Map<string, HttpApi>();
  private readonly managementFaults: number[] = [];
  private disconnectsToLose = 0;
  /** What the first API will listen on. */
  private first?: Promise<Listener>;
  private hasFirst = false;

  constructor(private readonly options: GatewaysOptions) {
    if (!(options.timeScale > 0)) throw new RangeError(`timeScale is ${options.timeScale}: it must be above 0`);
    this.invoker = options.invoker;
    this.trace = options.trace;
    this.iam = options.iam ?? new Iam();
    this.timeScale = options.timeScale;
    this.loseDisconnects = options.loseDisconnects;
  }

  /** Registers an API and listens for it; rejects where the port is taken, or the API is refused. */
  async addApi(inputs: ApiInputs): Promise<RegisteredApi> {
    if (inputs.protocolType !== "HTTP") return registered(await this.addWebsocketApi(inputs));
    const listener = await Listener.open(0);
    try {
      const api = new HttpApi(this, inputs, listener);
      this.httpApis.set(api.id, api);
      return api;
    } catch (error) {
      await listener.close();
      throw error;
    }
  }

  private async addWebsocketApi(inputs: ApiInputs): Promise<ApiServer> {
    const isFirst = !this.hasFirst;
    this.hasFirst = true;
    let listener: Listener | undefined;
    try {
      listener = await (isFirst ? this.listenForFirst() : Listener.open(0));
      const server = new ApiServer(this, inputs, listener);
      this.servers.set(server.api.id, server);
      return server;
    } catch (error) {
      // An API that is not registered takes no port: the next one is still the first.
      if (isFirst) this.hasFirst = false;
      else await listener?.close();
      throw error;
    }
  }

  /** The port of the API that will be registered first: it is taken from now on. */
  async reservePort(): Promise<number> {
    return (await this.listenForFirst()).port;
  }

  private listenForFirst(): Promise<Listener> {
    const { port = 0, host } = this.options;
    this.first ??= Listener.open(port, host).catch((error: unknown) => {
      this.first = undefined;
      throw error;
    });
    return this.first;
  }

  has(apiId: string): boolean {
    return this.servers.has(apiId) || this.httpApis.has(apiId);
  }

  /** @throws ControlPlaneError where no API has the id. */
  api(apiId: string): RegisteredApi {
    return this.httpApis.get(apiId) ?? registered(this.server(apiId));
  }

  /** A WebSocket API's. */
  server(apiId: string): ApiServer {
    const server = this.servers.get(apiId);
    if (!server) throw notFound(`Invalid API identifier specified ${apiId}`);
    return server;
  }

  async removeApi(apiId: string): Promise<void> {
    this.customDomains.checkUnmapped(apiId);
    const server = this.servers.get(apiId) ?? this.httpApis.get(apiId);
    this.servers.delete(apiId);
    this.httpApis.delete(apiId);
    await server?.close();
  }

  /** Every connection of every API, with those whose `$connect` has not returned; `tag` where the client gave one. */
  connections(): { id: string; state: ConnectionState; tag?: string }[] {
    return this.all().map(({ id, state, tag }) => ({ id, state, ...(tag !== undefined && { tag }) }));
  }

  /**
   * The network of a connection is gone and TCP has not noticed: POST and GET still answer 200, nothing passes any
   * more, and the client's own end is not seen. It lasts until the idle timeout, the maximum duration, DELETE or `drop`.
   * False for a connection that does not exist.
   */
  halfOpen(connectionId: string): boolean {
    const done = this.connection(connectionId)?.halfOpen() ?? false;
    const label = `the network is gone, unnoticed ${shortId(connectionId)}`;
    if (done) this.trace.record("Client", "Gateway", label, { connectionId, failure: "half-open" });
    return done;
  }

  /** Breaks a connection's TCP; the gateway notices (1006). False for a connection that does not exist. */
  drop(connectionId: string): boolean {
    return this.connection(connectionId)?.drop() ?? false;
  }

  /** The next `times` management calls answer `status`, whatever they ask for: 410 for a live connection, too. */
  injectManagementFault(status: 410 | 429 | 500, times: number): void {
    if (![410, 429, 500].includes(status)) throw badRequest(`status is ${status}: it must be 410, 429 or 500`);
    for (let left = times; left > 0; left--) this.managementFaults.push(status);
  }

  /** The next `times` connections that end are not announced, whatever `loseDisconnects` says. */
  loseNextDisconnects(times: number): void {
    this.disconnectsToLose += times;
  }

  readonly takeLostDisconnect = (): boolean => {
    if (this.loseDisconnects) return true;
    if (this.disconnectsToLose === 0) return false;
    this.disconnectsToLose -= 1;
    return true;
  };

  readonly takeManagementFault = (): number | undefined => this.managementFaults.shift();

  readonly log = (line: string): void => this.options.log?.(line);

  /** Ends every API, connection and timer. No `$disconnect` is delivered: the functions are going away as well. */
  async close(): Promise<void> {
    const servers = [...this.servers.values(), ...this.httpApis.values()];
    this.servers.clear();
    this.httpApis.clear();
    await Promise.all(servers.map((server) => server.close()));
    if (!this.hasFirst) await (await this.first)?.close();
  }

  private connection(id: string): Connection | undefined {
    return this.all().find((connection) => connection.id === id);
  }

  private all(): Connection[] {
    return [...this.servers.values()].flatMap(({ api }) => [...api.connections.values()]);
  }
}

function registered({ api, apiEndpoint }: ApiServer): RegisteredApi {
  const { id, executionArn, definition } = api;
  return { id, apiEndpoint, executionArn, definition, removeStage: (name) => api.removeStage(name) };
}
