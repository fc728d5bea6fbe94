import { randomBytes, randomUUID } from "node:crypto";

/**
 * Eleven random bytes, URL-safe and padded, as API Gateway's own look (`L0SM9cOFvHcCIhw=`): the `=` has to be
 * percent-encoded in a path, so a client that forgets it or does it twice is found here.
 */
export function newConnectionId(): string {
  return `${randomBytes(11).toString("base64url")}=`;
}

/** Request ids, extended request ids and message ids: AWS gives them the same shape. */
export const newRequestId = newConnectionId;

/** Ids of APIs, routes, deployments and the like: ten characters of lower case, as on AWS. */
export function newResourceId(): string {
  return randomUUID().replaceAll("-", "").slice(0, 10);
}

/** Whether `id` has the form of a connection's id. Any other id is answered with 400 instead of 410. */
export function isConnectionId(id: string): boolean {
  return /^[A-Za-z0-9_-]+={0,2}$/.test(id);
}

/** How the labels of traces, and logs, name a connection: enough to tell two apart, too little to post to one. */
export function shortId(id: string): string {
  return `…${id.slice(-5)}`;
}
