import webpush, { type PushSubscription, type RequestOptions } from "web-push";
import type { Devices } from "./devices";

/** What a receipt says of a message that waits: see the relay's docs. */
export interface Receipt {
  status: string;
  messageId: string;
  user: string;
  context: string;
  contextId: string;
}

/** Identifies this backend to the push services: RFC 8292. */
export type Vapid = NonNullable<RequestOptions["vapidDetails"]>;

/** A user who is away for longer than a day is told nothing. */
const TTL_SECONDS = 86_400;

/**
 * Tells the user's devices that a message waits. The notification has no text of the message: the page gets that from the relay.
 *
 * @throws if a push service may not have accepted it: the receipt comes again.
 */
export async function notify(receipt: Receipt, devices: Devices, vapid: Vapid): Promise<void> {
  const { user, context, contextId } = receipt;
  const notification = { title: "You have a new message", context, contextId };
  for (const device of devices.of(user)) {
    const status = await push(device, JSON.stringify(notification), { vapidDetails: vapid, TTL: TTL_SECONDS });
    // The browser has ended this subscription: https://www.rfc-editor.org/rfc/rfc8030#section-7.3
    if (status === 404 || status === 410) devices.forget(user, device);
    else if (status >= 300)
      throw new Error(`the push service at ${new URL(device.endpoint).origin} answered ${status}`);
    console.log(JSON.stringify({ event: "pushed", user, messageId: receipt.messageId, status }));
  }
}

/** Encrypts the notification for the device (RFC 8291), and sends it. */
async function push(device: PushSubscription, notification: string, options: RequestOptions): Promise<number> {
  const { endpoint, method, headers, body } = webpush.generateRequestDetails(device, notification, options);
  const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  // fetch sets the length itself.
  const sent = given.filter(([name]) => name !== "Content-Length");
  const response = await fetch(endpoint, {
    method,
    headers: sent,
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(10_000),
  });
  return response.status;
}
