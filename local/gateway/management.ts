import type { IncomingMessage, ServerResponse } from "node:http";
import { AccessDenied } from "../iam/iam";
import type { Api } from "./api";
import type { Connection } from "./connection";
import { frameLabel, hasMessage } from "./frameLabel";
import { isConnectionId, shortId } from "./ids";
import { limits } from "./limits";

/** The errors of the management API: the SDK tells them apart by the header `x-amzn-errortype`, not by the body. */
const errors = {
  400: ["BadRequestException", "Invalid connectionId"],
  403: ["ForbiddenException", "Forbidden"],
  410: ["GoneException", "Gone"],
  413: ["PayloadTooLargeException", "Payload too large"],
  429: ["LimitExceededException", "Too many requests"],
  500: ["InternalServerErrorException", "Internal server error"],
} as const;

/**
 * Answers `/{stage}/@connections/{urlencoded id}`: POST sends to a connection, GET describes it, DELETE closes it.
 * An unsigned request is the administrator's: only this machine reaches 127.0.0.1.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
 */
export async function handleManagement(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { trace, takeManagementFault } = api.environment;
  const body = await read(request);
  const target = parse(request);
  // AWS answers unknown paths and methods like this, too.
  if (!target)
    return answer(response, 403, { message: "Missing Authentication Token" }, "MissingAuthenticationTokenException");

  const name = shortId(target.id ?? "");
  const connectionId = target.id;
  trace.record("Lambda", "Gateway", `${target.method} @connections ${name}`, { connectionId });
  const denial = await denialOf(api, target, request);
  if (denial !== undefined) {
    trace.record("Gateway", "Lambda", `403 ${name}`, { connectionId });
    return answer(response, 403, { message: denial }, "AccessDeniedException");
  }
  const fault = takeManagementFault();
  const result = fault === undefined ? perform(api, target, body) : { status: fault };
  if (result.status === 410) trace.record("Gateway", "Lambda", `410 Gone ${name}`, { connectionId, failure: "gone" });
  else trace.record("Gateway", "Lambda", `${result.status} ${name}`, { connectionId });
  if (isError(result.status)) {
    const [type, message] = errors[result.status];
    answer(response, result.status, { message }, type);
  } else {
    answer(response, result.status, result.body);
  }
}

/**
 * Why a call is not allowed; undefined where it is. Its resource is the path as the API has it, not the connection.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
 */
async function denialOf(api: Api, target: Target, { headers }: IncomingMessage): Promise<string | undefined> {
  const { iam } = api.environment;
  const resource = `${api.executionArn}/${target.stageName}/${target.method}/@connections/{connectionId}`;
  try {
    await iam.authorize({ principal: iam.principalOf(headers), action: "execute-api:ManageConnections", resource });
    return undefined;
  } catch (error) {
    if (error instanceof AccessDenied) return error.message;
    throw error;
  }
}

interface Target {
  method: "POST" | "GET" | "DELETE";
  stageName: string;
  /** Undefined where it is not even percent-encoded well. */
  id?: string;
}

function parse({ method, url }: IncomingMessage): Target | undefined {
  const match = /^\/([^/?]+)\/@connections\/([^/?]+)$/.exec(url ?? "");
  if (!match || (method !== "POST" && method !== "GET" && method !== "DELETE")) return undefined;
  return { method, stageName: match[1] as string, id: decode(match[2] as string) };
}

function perform(api: Api, { method, stageName, id }: Target, body: Buffer | "too large"): Result {
  if (!api.definition.stages.get(stageName)?.deployment) return { status: 403 };
  if (id === undefined || !isConnectionId(id)) return { status: 400 };
  if (body === "too large") return { status: 413 };
  const connection = api.find(stageName, id);
  if (!connection) return { status: 410 };
  if (method === "GET") return { status: 200, body: describe(connection) };
  if (method === "DELETE") {
    connection.close(1000, "Connection Closed Normally", "DELETE @connections");
    return { status: 204 };
  }
  const text = body.toString();
  const sent = connection.send(text);
  const what = frameLabel(text, connection.subprotocol);
  const { trace } = api.environment;
  if (sent) {
    trace.record("Gateway", "Client", `${what} ${shortId(id)}`, { connectionId: id });
  } else {
    const failure = hasMessage(text, connection.subprotocol) ? "message lost" : "frame lost";
    trace.record("Gateway", "Client", `${what} ${shortId(id)} is lost, unnoticed`, { connectionId: id, failure });
  }
  return { status: 200 };
}

interface Result {
  status: number;
  body?: unknown;
}

function describe({ connectedAtMs, lastActiveAtMs, identity }: Connection) {
  return {
    connectedAt: new Date(connectedAtMs).toISOString(),
    identity,
    lastActiveAt: new Date(lastActiveAtMs).toISOString(),
  };
}

/** All of the body, even of one that is too large: a client that is cut off while sending reads no answer. */
async function read(request: IncomingMessage): Promise<Buffer | "too large"> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= limits.messageBytes) chunks.push(chunk);
  }
  return bytes <= limits.messageBytes ? Buffer.concat(chunks) : "too large";
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isError(status: number): status is keyof typeof errors {
  return status in errors;
}

function answer(response: ServerResponse, status: number, body: unknown, errorType?: string): void {
  if (errorType) response.setHeader("x-amzn-errortype", errorType);
  if (body === undefined) {
    response.writeHead(status).end();
  } else {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }
}
