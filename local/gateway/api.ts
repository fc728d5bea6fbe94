import { arn } from "../account";
import type { Closing, ConnectionListener, Identity } from "./connection";
import { Connection } from "./connection";
import { ApiDefinition, type Stage } from "./definition";
import type { GatewayEnvironment } from "./environment";
import { newResourceId, shortId } from "./ids";
import type { ApiInputs } from "./inputs";
import { type IntegrationError, invokeProxy } from "./lambdaIntegration";
import { answerMessage } from "./messages";
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
    private readonly domainName: () => string,
  ) {
    this.definition = new ApiDefinition(inputs);
  }

  get endpoint(): Endpoint {
    return { apiId: this.id, domainName: this.domainName() };
  }

  /** The connection as the management API sees it. */
  find(stageName: string, connectionId: string): Connection | undefined {
    const connection = this.connections.get(connectionId);
    return connection?.exists && connection.stageName === stageName ? connection : undefined;
  }

  /** A connection whose `$connect` is about to be invoked. */
  addConnection(stage: Stage, identity: Identity, wire: Wire): Connection {
    const { trace, timeScale } = this.environment;
    const listener: ConnectionListener = {
      onMessage: (text) => void answerMessage(this, stage, connection, text),
      onClosing: (code, why) => trace.record("Gateway", "Client", `close ${code} ${shortId(connection.id)}: ${why}`),
      onClosed: (closing) => {
        this.connections.delete(connection.id);
        void this.disconnected(stage, connection, closing);
      },
    };
    const connection = new Connection(stage.name, identity, wire, timeScale, listener);
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
    const { trace, invoker, loseDisconnects, log } = this.environment;
    const id = shortId(connection.id);
    if (closing.by === "client") {
      trace.record(
        "Client",
        "Gateway",
        closing.code === 1006 ? `the connection is cut ${id}` : `close ${closing.code} ${id}`,
      );
    }
    const integration = stage.deployment?.routes.get("$disconnect")?.integration;
    if (integration?.integrationType !== "AWS_PROXY") return;
    if (loseDisconnects) {
      trace.record("Gateway", "Lambda", `$disconnect ${id} is lost`);
      return;
    }
    trace.record("Gateway", "Lambda", `$disconnect ${id}`);
    const context = requestContext(this.endpoint, connection, "$disconnect", "DISCONNECT");
    const event = disconnectEvent(closing.code, closing.reason, this.endpoint, context);
    try {
      const { statusCode } = await invokeProxy(invoker, integration, event, this.sourceArn(stage, "$disconnect"));
      trace.record("Lambda", "Gateway", `${statusCode} $disconnect ${id}`);
    } catch (error) {
      // The connection is gone whatever the function says.
      log(`$disconnect of stage ${stage.name}: ${(error as IntegrationError).message}`);
    }
  }

  /** What a function's permission has to name to be invoked for a route. */
  sourceArn(stage: Stage, routeKey: string): string {
    return `${this.executionArn}/${stage.name}/${routeKey}`;
  }
}
