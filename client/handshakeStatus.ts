// ws: "response: 403", Bun and Deno "code: 403", Workers "received 403", React Native "server: 403" and "was '403".
const STATUS = /(?:[er]:|received|server|was) '?([3-5]\d\d)\b/;

/** The HTTP status of a refused handshake, parsed from the message of an `error` event: no event has it as a field. */
export function handshakeStatus(message: string | undefined): number | undefined {
  return Number(STATUS.exec(message ?? "")?.[1]) || undefined;
}
