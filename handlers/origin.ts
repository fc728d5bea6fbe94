import { type Handshake, headerValues } from "./handshake";

/**
 * Whether the page that opens the connection may; null allows every page. Asked only where the credential is ambient:
 * browsers send `Origin` with every handshake and CORS does not apply to it, so an exact comparison is all there is against
 * cross-site hijacking (OWASP ASVS 5, 4.4.2). `null` is what sandboxed pages send: on no list.
 */
export function originIsAllowed(handshake: Handshake, allowedOrigins: readonly string[] | null): boolean {
  if (allowedOrigins === null) return true;
  const origins = headerValues(handshake, "origin");
  const [origin] = origins;
  return origins.length === 1 && origin !== undefined && origin !== "null" && allowedOrigins.includes(origin);
}
