import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { type Environment, url } from "../environment";
import type { REASONS } from "../messages/reasons";

/** The outcome of a POST to a connection; `detail` is for the log. */
export interface PostOutcome {
  result: PostResult;
  detail?: string;
}

export type PostResult =
  | "delivered"
  /** The connection has ended, is not open yet, or never existed. */
  | "gone"
  | (typeof REASONS)["payloadTooLarge" | "forbidden" | "throttled" | "gatewayError" | "networkError" | "timeout"];

/**
 * A connection that is "gone" and younger than this may be just opening: until `$connect` has returned, POST, `GetConnection` and
 * DELETE answer 410.
 */
export const YOUNG_CONNECTION_MS = 60_000;

/** API Gateway's management of open connections. */
export interface ConnectionsClient {
  /** Never rejects. `delivered` means accepted: a half-open connection accepts too. */
  post(connectionId: string, body: string, signal?: AbortSignal): Promise<PostOutcome>;
  /** True only if the gateway says so. @throws if the gateway does not answer. */
  isGone(connectionId: string, signal?: AbortSignal): Promise<boolean>;
  /** Closes the connection; `gone` if it has ended, is not open yet, or never existed. @throws if it may still be open. */
  close(connectionId: string, signal?: AbortSignal): Promise<"closed" | "gone">;
}

/** The `@connections` commands of an API's stage. */
export class ManagementApiConnections implements ConnectionsClient {
  constructor(private readonly client: ApiGatewayManagementApiClient) {}

  async post(connectionId: string, body: string, signal?: AbortSignal): Promise<PostOutcome> {
    const command = () => new PostToConnectionCommand({ ConnectionId: connectionId, Data: Buffer.from(body) });
    try {
      await onceMoreIfStale(() => this.client.send(command(), { abortSignal: signal }), signal);
      return { result: "delivered" };
    } catch (error) {
      return outcomeOf(error, signal);
    }
  }

  async isGone(connectionId: string, signal?: AbortSignal): Promise<boolean> {
    const command = () => new GetConnectionCommand({ ConnectionId: connectionId });
    try {
      await onceMoreIfStale(() => this.client.send(command(), { abortSignal: signal }), signal);
      return false;
    } catch (error) {
      if (statusOf(error) === 410) return true;
      throw error;
    }
  }

  async close(connectionId: string, signal?: AbortSignal): Promise<"closed" | "gone"> {
    const command = () => new DeleteConnectionCommand({ ConnectionId: connectionId });
    try {
      await onceMoreIfStale(() => this.client.send(command(), { abortSignal: signal }), signal);
      return "closed";
    } catch (error) {
      const status = statusOf(error);
      if (status !== undefined && postResultOf(status) === "gone") return "gone";
      throw error;
    }
  }
}

/** The connections of the API at `MANAGEMENT_ENDPOINT`. */
export function connectionsFromEnvironment(environment: Environment): ConnectionsClient {
  return new ManagementApiConnections(
    new ApiGatewayManagementApiClient({
      endpoint: url(environment, "MANAGEMENT_ENDPOINT"),
      // The queue retries: waiting here would delay the messages behind this one.
      maxAttempts: 1,
      // Without this flag, the SDK only logs a warning when a request exceeds its timeout.
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
    }),
  );
}

/**
 * By status, not by error class: the SDK throws a `GoneException` for a 410 only if the response has an `x-amzn-errortype`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
 */
export function postResultOf(status: number): PostResult {
  switch (status) {
    case 400: // what some malformed ids get instead of 410
    case 410:
      return "gone";
    case 403:
      return "forbidden";
    case 413:
      return "payload-too-large";
    case 429: // the account's rate, or this client's full buffer
      return "throttled";
    default:
      return status >= 200 && status < 300 ? "delivered" : "gateway-error";
  }
}

function outcomeOf(error: unknown, signal?: AbortSignal): PostOutcome {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const status = statusOf(error);
  if (status !== undefined) return { result: postResultOf(status), detail: `${status} ${detail}` };
  const timedOut = signal?.aborted || ((error as Error).name === "TimeoutError" && !isStale(error));
  return { result: timedOut ? "timeout" : "network-error", detail };
}

/**
 * A kept-alive socket that the gateway has closed fails at once, which says nothing about the connection. The SDK does not
 * distinguish it from a new socket that was reset: such a message may arrive twice, which delivery allows.
 */
async function onceMoreIfStale<T>(send: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (statusOf(error) !== undefined || !isStale(error) || signal?.aborted) throw error;
    return send();
  }
}

function isStale(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "ECONNRESET" || code === "EPIPE";
}

function statusOf(error: unknown): number | undefined {
  const { $metadata, $response } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number };
  };
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}
