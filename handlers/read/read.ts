import type { Authenticator } from "../connect/auth/authenticate";
import { authenticatorFromEnvironment } from "../connect/auth/authenticatorFromEnvironment";
import type { loadAuthenticate } from "../connect/auth/loadAuthenticate";
import { type ClientRequest, queryParameter, requestedContext } from "../connect/clientRequest";
import type { Invocation } from "../connect/connect";
import { type Refusal, refusals } from "../connect/refusals";
import { DynamoDbUserConnections, type UserConnections } from "../connections/userConnections";
import { type Environment, stringListOrNull, text } from "../environment";
import { historyFromEnvironment, retentionMsFromEnvironment } from "../history/dynamoDbHistory";
import type { ReadLogDependencies } from "../history/readLog";
import { consoleLog, errorFields, type Log, type LogFields } from "../log";
import { type Metrics, METRICS, metricsFromEnvironment } from "../metrics";
import { callerIdOf, type Checked, type SessionKey } from "../sessions/sessionKey";
import { tableClient } from "../tableClient";
import { timeLimit, unlessAborted } from "../timeLimit";
import { pageAnswer, preflightAnswer, problemAnswer } from "./answers";
import { corsHeaders, mayRead } from "./cors";
import { clientRequestOf, type HttpAnswer, type HttpEvent } from "./httpEvent";
import { type From, fromOffset } from "./offset";
import { type Problem, problems } from "./problems";
import { type Page, readPage } from "./readPage";

/** `now` and `log` are by default the clock and the console. */
export type ReadDependencies = Omit<Dependencies, "now" | "log"> & Partial<Pick<Dependencies, "now" | "log">>;

interface Dependencies extends ReadLogDependencies {
  authenticator: Authenticator;
  userConnections: Pick<UserConnections, "blockedUntil">;
  /** As `originIsAllowed` takes them. Null allows every origin. */
  allowedOrigins: readonly string[] | null;
  metrics: Metrics;
  log: Log;
}

type ReadHandler = (event: HttpEvent, invocation: Invocation) => Promise<HttpAnswer>;

/** Time that is left for the answer. */
const RESERVED_MS = 1_000;

/**
 * Called for each request of the HTTP API: answers a page of a session's messages, as the read side of the Durable Streams protocol
 * does in its JSON mode. The items are the envelopes of `websocket-relay.v1`. Reading acknowledges nothing.
 * https://github.com/durable-streams/durable-streams/blob/main/PROTOCOL.md
 */
export function read(given: ReadDependencies): ReadHandler {
  const dependencies = { now: Date.now, log: consoleLog, ...given };
  const { allowedOrigins, metrics, log } = dependencies;

  return async function readHandler(event, invocation) {
    const { requestContext } = event;
    const { method } = requestContext.http;
    const request = clientRequestOf(event);
    const cors = corsHeaders(request, allowedOrigins);
    if (method === "OPTIONS" && mayRead(request, allowedOrigins)) return preflightAnswer(cors);

    const signal = timeLimit(invocation.getRemainingTimeInMillis() - RESERVED_MS);
    const { page, problem, key, fields } = await readSafely(method, request, dependencies, signal);
    const logged = { requestId: requestContext.requestId, ...key, ...fields };
    if (problem) {
      const { statusCode, reason, detail, logged: cause = detail } = problem;
      log[statusCode === 500 ? "error" : "warn"]("refused", { statusCode, reason, detail: cause, ...logged });
      metrics.add(METRICS.httpReadsRefused, 1, reason);
    } else {
      log.info("read", { ...logged, items: page.items.length, through: page.next.seq, isUpToDate: page.isUpToDate });
      metrics.add(METRICS.httpReads, 1);
    }
    metrics.flush();
    return problem ? problemAnswer(problem, method, cors) : pageAnswer(page, method, request, cors);
  };
}

/** `read` as the component deploys it. `load` loads the user's own callback if AUTH has one. */
export function readFromEnvironment(environment: Environment, load?: typeof loadAuthenticate): ReadHandler {
  return read({
    authenticator: authenticatorFromEnvironment(environment, load),
    allowedOrigins: stringListOrNull(environment, "ALLOWED_ORIGINS"),
    userConnections: new DynamoDbUserConnections(tableClient(), { tableName: text(environment, "TABLE_NAME") }),
    history: historyFromEnvironment(environment),
    retentionMs: retentionMsFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
  });
}

type Read = ({ page: Page; problem?: undefined } | { page?: undefined; problem: Problem }) & {
  key?: SessionKey;
  fields?: LogFields;
};

async function readSafely(
  method: string,
  request: ClientRequest,
  dependencies: Dependencies,
  signal: AbortSignal,
): Promise<Read> {
  try {
    // The signal alone does not end the SDK's pause before a retry.
    return await unlessAborted(readSession(method, request, dependencies, signal), signal);
  } catch (error) {
    const fields = { outOfTime: signal.aborted, ...errorFields(error) };
    const isThrottled = error instanceof Error && THROTTLING_ERRORS.includes(error.name);
    return { problem: isThrottled ? problems.tooManyRequests() : problems.internalError(), fields };
  }
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
const THROTTLING_ERRORS: readonly string[] = [
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
];

async function readSession(
  method: string,
  request: ClientRequest,
  dependencies: Dependencies,
  signal: AbortSignal,
): Promise<Read> {
  const { authenticator, userConnections, allowedOrigins, now } = dependencies;
  const refused = (refusal: Refusal) => ({ problem: problems.refused(refusal, request) });

  // The cheapest checks first: each spares the ones below.
  if (!mayRead(request, allowedOrigins)) return refused(refusals.originNotAllowed());
  if (!["GET", "HEAD"].includes(method)) return { problem: problems.methodNotAllowed(method) };
  const context = requestedContext(request);
  if (context.reason !== undefined) return refused(refusals.badRequest(context.reason));
  const live = request.queryStringParameters?.live;
  if (live !== undefined) return { problem: problems.liveNotSupported(live) };
  const from = startOf(method, request);
  if (from.reason !== undefined) return { problem: problems.badOffset(from.reason) };

  const authentication = await authenticator.authenticate(request);
  if (authentication.refused) return refused(authentication.refused);
  const callerId = callerIdOf(authentication.user);
  if (callerId.reason !== undefined) return refused(refusals.notAccepted(callerId.reason));

  const key = { callerId: callerId.value, context: context.value };
  const [blockedUntil = 0, page] = await Promise.all([
    userConnections.blockedUntil(key.callerId, signal),
    readPage(key, from.value, dependencies, signal),
  ]);
  if (blockedUntil * 1000 > now()) return { ...refused(refusals.userBlocked()), key };
  return page.lost === undefined ? { page, key } : { problem: problems.gone(page), key };
}

/** Where the read begins. `HEAD` asks for the end of the log. */
function startOf(method: string, request: ClientRequest): Checked<From> {
  if (method === "HEAD") return { value: "newest" };
  if (request.queryStringParameters?.offset === undefined) return fromOffset(undefined);
  const offset = queryParameter(request, "offset");
  return offset.reason === undefined ? fromOffset(offset.value) : offset;
}
