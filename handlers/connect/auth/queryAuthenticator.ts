import { QUERY_PARAMETERS } from "../../../protocol";
import { callerIdOf } from "../../sessions/sessionKey";
import { type ClientRequest, queryParameter } from "../clientRequest";
import { refusals } from "../refusals";
import type { Authentication, Authenticator } from "./authenticate";

/** No authentication: `?user=…` names the user. Without a credential that a browser sends by itself, no origin matters. */
export const queryAuthenticator: Authenticator = {
  authenticate: (request) => Promise.resolve(userNamedBy(request)),
};

function userNamedBy(request: ClientRequest): Authentication {
  const { value: user, reason } = queryParameter(request, QUERY_PARAMETERS.user);
  if (reason !== undefined) return { refused: refusals.badRequest(reason) };
  const callerId = callerIdOf(user);
  return callerId.reason === undefined ? { user } : { refused: refusals.badRequest(callerId.reason) };
}
