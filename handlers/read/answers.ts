import { createHash } from "node:crypto";
import { type ClientRequest, headerValues } from "../connect/clientRequest";
import { PREFLIGHT_HEADERS } from "./cors";
import type { HttpAnswer } from "./httpEvent";
import { offsetOf } from "./offset";
import { METHODS, type Problem, problemBody } from "./problems";
import type { Page } from "./readPage";

type Headers = Record<string, string>;

/**
 * Headers of every answer, since a user's messages are for that user alone. The protocol asks for both (section 12.7). The second
 * does not apply to a page's script that reads by CORS.
 */
const SECURITY_HEADERS: Headers = {
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
};

const NO_STORE: Headers = { "Cache-Control": "no-store" };

/** Keeps answers out of shared caches, and makes a browser's own cache ask before each use: 304 if nothing has changed. */
const REVALIDATED: Headers = { "Cache-Control": "private, no-cache" };

export function pageAnswer(page: Page, method: string, request: ClientRequest, cors: Headers): HttpAnswer {
  const next = offsetOf(page.next);
  const headers = {
    ...SECURITY_HEADERS,
    ...cors,
    "Content-Type": "application/json",
    "Stream-Next-Offset": next,
    ...(page.isUpToDate && { "Stream-Up-To-Date": "true" }),
  };
  if (method === "HEAD") return { statusCode: 200, headers: { ...headers, ...NO_STORE }, body: "" };
  const body = `[${page.items.join(",")}]`;
  // The end of the log moves with each message.
  if (request.queryStringParameters?.offset === "now") {
    return { statusCode: 200, headers: { ...headers, ...NO_STORE }, body };
  }
  const ETag = etagOf(next, page.isUpToDate, body);
  const cached = { ...headers, ...REVALIDATED, ETag };
  return hasEtag(request, ETag)
    ? { statusCode: 304, headers: cached, body: "" }
    : { statusCode: 200, headers: cached, body };
}

export function problemAnswer(problem: Problem, method: string, cors: Headers): HttpAnswer {
  const { statusCode, headers } = problem;
  const all = { ...SECURITY_HEADERS, ...cors, ...NO_STORE, "Content-Type": "application/problem+json", ...headers };
  return { statusCode, headers: all, body: method === "HEAD" ? "" : problemBody(problem) };
}

export function preflightAnswer(cors: Headers): HttpAnswer {
  return { statusCode: 204, headers: { ...SECURITY_HEADERS, ...cors, ...PREFLIGHT_HEADERS, Allow: METHODS }, body: "" };
}

/** Covers all that may change: a message's body is removed when it expires, and the last page ceases to be the last. */
function etagOf(next: string, isUpToDate: boolean, body: string): string {
  const digest = createHash("sha256").update(`${next} ${isUpToDate} ${body}`).digest("base64url");
  return `"${digest.slice(0, 22)}"`;
}

/** Whether the client names this entity tag, or any (RFC 9110, 13.1.2: compared weakly). */
function hasEtag(request: ClientRequest, etag: string): boolean {
  const given = headerValues(request, "if-none-match").flatMap((value) => value.split(","));
  return given.map((value) => value.trim().replace(/^W\//, "")).some((value) => value === etag || value === "*");
}
