import { BEARER_SUBPROTOCOL_PREFIX, offeredSubprotocols, SUBPROTOCOLS } from "../../protocol";
import { type Handshake, headerValues } from "./handshake";
import type { Checked } from "../sessions/sessionKey";

/**
 * The subprotocol to answer: exactly one of those that were offered, or none where none was. A client that asks for envelopes
 * and for nothing else is not to be given what is none.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
 */
export function answeredSubprotocol(handshake: Handshake): Checked<string | undefined> {
  const values = offered(handshake);
  if (values.length === 0) return { value: undefined };
  // A token comes back only where nothing else can: the fewer places it stands in, the better.
  const bearer = values.includes(SUBPROTOCOLS.v1)
    ? undefined
    : values.find((value) => value.startsWith(BEARER_SUBPROTOCOL_PREFIX));
  const answered = values.find((value) => value === SUBPROTOCOLS.raw) ?? bearer;
  return answered === undefined
    ? { reason: `none of the subprotocols is spoken here: offer ${SUBPROTOCOLS.raw}` }
    : { value: answered };
}

/** What the subprotocols that carry a token have after their prefix. */
export function subprotocolTokens(handshake: Handshake): string[] {
  return offered(handshake).flatMap((value) =>
    value.startsWith(BEARER_SUBPROTOCOL_PREFIX) ? [value.slice(BEARER_SUBPROTOCOL_PREFIX.length)] : [],
  );
}

/** The subprotocols that the client offers, in its order. */
export function offered(handshake: Handshake): string[] {
  return offeredSubprotocols(headerValues(handshake, "sec-websocket-protocol").join(","));
}
