import { arn } from "../account";
import { accessLogLine, type Outcome } from "./accessLog";
import type { Closing, ConnectionListener, Identity } from "./connection";
import { Connection } from "./connection";
import { ApiDefinition, type Stage } from "./definition";
import type { GatewayEnvironment } from "./environment";
import { newResourceId, shortId } from "./ids";
import type { ApiInputs, IntegrationInputs } from "./inputs";
import { type IntegrationError, invokeProxy } from "./lambdaIntegration";
import { disconnectEvent, requestContext, type Endpoint } from "./proxyEvents";
import type { Wire } from "./wire";

/** One WebSocket API: its definition and its connections. */
export class Api {
  readonly id = newResourceId();
  readonly executionArn = arn("execute-api", this.id);
  readonly definition: ApiDefinition;
  readonly connections = new Map<string, Connection>();

  constructor(
    readonly environment: GatewayEnvironment,
    inputs: ApiInputs,
    /** host:port of the server in front of it. */
    readonly domainName: () => string,
  ) {
    this.definition = new ApiDefinition(inputs);
  }

  endpointOf({ domainName }: Connection): Endpoint {
    return { apiId: this.id, domainName };
  }

  /** The connection as the management API sees it. */
  find(stageName: string, connectionId: string): Connection | undefined {
    const connection = this.connections.get(connectionId);
    return connection?.exists && connection.stageName === stageName ? connection : undefined;
  }

  /** A connection whose `$connect` is about to be invoked. */
  addConnection(
    stage: Stage,
    identity: Identity,
    wire: Wire,
    /** The one that the client asked for. */
    domainName: string,
    onMessage: (connection: Connection, text: string) => void,
  ): Connection {
    const { trace, timeScale } = this.environment;
    const listener: ConnectionListener = {
      onMessage: (text) => onMessage(connection, text),
      onClosing: (code, why) =>
        trace.record("Gateway", "Client", `close ${code} ${shortId(connection.id)}: ${why}`, {
          connectionId: connection.id,
        }),
      onClosed: (closing) => {
        this.connections.delete(connection.id);
        void this.disconnected(stage, connection, closing);
      },
    };
    const connection = new Connection(stage.name, domainName, identity, wire, timeScale, listener);
    this.connections.set(connection.id, connection);
    return connection;
  }

  /** Its connections end unannounced: there is no `$disconnect` route left to announce them to. */
  removeStage(name: string): void {
    this.definition.stages.delete(name);
    for (const connection of this.connections.values()) {
      if (connection.stageName === name) this.forget(connection);
    }
  }

  close(): void {
    this.definition.stages.clear();
    for (const connection of this.connections.values()) this.forget(connection);
  }

  /** Ends a connection that never came to exist, or whose stage is gone. */
  forget(connection: Connection): void {
    this.connections.delete(connection.id);
    connection.destroy();
  }

  private async disconnected(stage: Stage, connection: Connection, closing: Closing): Promise<void> {
    const { trace } = this.environment;
    const connectionId = connection.id;
    const id = shortId(connectionId);
    if (closing.by === "client") {
      if (closing.code === 1006)
        trace.record("Client", "Gateway", `the connection is cut ${id}`, { connectionId, failure: "cut" });
      else trace.record("Client", "Gateway", `close ${closing.code} ${id}`, { connectionId });
    }
    const integration = stage.deployment?.routes.get("$disconnect")?.integration;
    const isInvoked = integration?.integrationType === "AWS_PROXY";
    if (this.environment.takeLostDisconnect()) {
      if (isInvoked)
        trace.record("Gateway", "Lambda", `$disconnect ${id} is lost`, { connectionId, failure: "disconnect lost" });
      return;
    }
    const endpoint = this.endpointOf(connection);
    const context = requestContext(endpoint, connection, "$disconnect", "DISCONNECT");
    if (!stage.throttle.allows("$disconnect")) {
      trace.record("Gateway", "Lambda", `$disconnect ${id} is throttled`, { connectionId, failure: "disconnect lost" });
      return this.logAccess(stage, context, { status: 429, errorMessage: "Too Many Requests" });
    }
    if (!isInvoked) return this.logAccess(stage, context, { status: 200 });
    trace.record("Gateway", "Lambda", `$disconnect ${id}`, { connectionId });
    const event = disconnectEvent(closing.code, closing.reason, endpoint, context);
    this.logAccess(stage, context, await this.invokeDisconnect(stage, integration, event, connectionId));
  }

  private async invokeDisconnect(
    stage: Stage,
    integration: IntegrationInputs,
    event: unknown,
    connectionId: string,
  ): Promise<Outcome> {
    const { trace, invoker, log } = this.environment;
    const startedAtMs = performance.now();
    const latency = () => Math.round(performance.now() - startedAtMs);
    try {
      const { statusCode } = await invokeProxy(invoker, integration, event, this.sourceArn(stage, "$disconnect"));
      trace.record("Lambda", "Gateway", `${statusCode} $disconnect ${shortId(connectionId)}`, { connectionId });
      return { status: statusCode, integration: { latencyMs: latency(), status: statusCode } };
    } catch (error) {
      // The connection is gone whatever the function says.
      const { status, message, publicMessage } = error as IntegrationError;
      log(`$disconnect of stage ${stage.name}: ${message}`);
      return { status, errorMessage: publicMessage, integration: { latencyMs: latency(), error: message } };
    }
  }

  /** Writes a request's line into the run's log, where its stage logs accesses. */
  logAccess({ accessLog }: Stage, context: Readonly<Record<string, unknown>>, outcome: Outcome): void {
    if (accessLog) this.environment.log(accessLogLine(accessLog, context, outcome));
  }

  /** What a function's permission has to name to be invoked for a route. */
  sourceArn(stage: Stage, routeKey: string): string {
    return `${this.executionArn}/${stage.name}/${routeKey}`;
  }
}
