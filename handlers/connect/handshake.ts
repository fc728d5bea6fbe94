import type { ClientRequest } from "./clientRequest";

/**
 * The fields of a `$connect` event that are used here.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
 */
export interface Handshake extends ClientRequest {
  requestContext: ClientRequest["requestContext"] & {
    connectionId: string;
    connectedAt: number;
    /** The gateway's id of this request, by which its access log names it. */
    requestId: string;
  };
}
