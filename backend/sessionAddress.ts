import { checkPublication } from "../handlers/messages/publication";
import type { SessionKey } from "../handlers/sessions/sessionKey";
import { publicationRules } from "./publication";
import { RelayInputError } from "./relayInputError";

/** The session of a user for one context and contextId. */
export interface SessionAddress {
  /** The user's code, as in the token of the handshake. Not empty. */
  user: string;
  /** The feature, as the client sets it, such as `chat`. Not empty, without `#`. */
  context: string;
  /** The entity, as the client sets it, such as `7`. Not empty. */
  contextId: string;
}

const fixes = {
  user: publicationRules.user[1],
  context: "pass the context of the client's URL",
  contextId: "pass the contextId of the client's URL as a string",
};

/**
 * The session's key, after the checks of a message to it.
 *
 * @throws RelayInputError
 */
export function sessionKeyOf({ user, context, contextId }: SessionAddress): SessionKey {
  const { value, reason = "" } = checkPublication({ user, context, contextId, message: "any" });
  if (value?.key) return value.key;
  // A reason starts with the name of its input.
  const input = /^\w+/.exec(reason)?.[0] as keyof SessionAddress;
  throw new RelayInputError(input, reason, publicationRules[input][0], fixes[input]);
}
