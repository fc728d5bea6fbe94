import { BEARER_SUBPROTOCOL_PREFIX, offeredSubprotocols, SUBPROTOCOLS } from "../../protocol";
import type { Checked } from "../sessions/sessionKey";
import { type ClientRequest, headerValues } from "./clientRequest";

/**
 * The subprotocol to answer: exactly one of those that were offered, or none if none was. A client that only asks for
 * envelopes must not get messages without.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
 */
export function answeredSubprotocol(
  request: ClientRequest,
  supported: string = SUBPROTOCOLS.raw,
): Checked<string | undefined> {
  const values = offered(request);
  if (values.length === 0) return { value: undefined };
  // The token's subprotocol is answered only if no other was offered: a token should appear in few places.
  const bearer = values.includes(SUBPROTOCOLS.v1)
    ? undefined
    : values.find((value) => value.startsWith(BEARER_SUBPROTOCOL_PREFIX));
  const answered = values.find((value) => value === SUBPROTOCOLS.raw) ?? bearer;
  return answered === undefined
    ? { reason: `none of the offered subprotocols is supported: offer ${supported}` }
    : { value: answered };
}

/** The tokens of the subprotocols that carry one. */
export function subprotocolTokens(request: ClientRequest): string[] {
  return offered(request).flatMap((value) =>
    value.startsWith(BEARER_SUBPROTOCOL_PREFIX) ? [value.slice(BEARER_SUBPROTOCOL_PREFIX.length)] : [],
  );
}

/** The subprotocols that the client offers, in its order. */
export function offered(request: ClientRequest): string[] {
  return offeredSubprotocols(headerValues(request, "sec-websocket-protocol").join(","));
}
