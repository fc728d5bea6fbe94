import * as pulumi from "@pulumi/pulumi";
import { getDomain, parse } from "tldts";
import { isDeferred, problemText, refuse, refuseProblem } from "./refuse";
import { isPlaceholder, isText, parseUrl } from "./values";

/**
 * Refuses what is no list of origins, as far as its values are known already.
 *
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function refuseBadOrigins(allowedOrigins: unknown): void {
  if (isDeferred(allowedOrigins)) return;
  if (!Array.isArray(allowedOrigins)) {
    const isOrigin = isText(allowedOrigins) && originProblem(allowedOrigins) === undefined;
    const fix = isOrigin ? `write ${JSON.stringify([allowedOrigins])}` : "list the origin of each page that connects";
    refuse("allowedOrigins", allowedOrigins, "a list of origins", fix);
  }
  allowedOrigins.forEach((origin, index) => refuseProblem(`allowedOrigins[${index}]`, originProblem(origin)));
}

/** The origins, checked once they are known: null as a value that is known only later is no decision of the program's. */
export function checkedOrigins(
  allowedOrigins: pulumi.Input<pulumi.Input<string>[]> | null,
): pulumi.Output<string[] | null> {
  if (allowedOrigins === null) return pulumi.output(null);
  return pulumi.output(allowedOrigins).apply((known) => {
    refuseBadOrigins(known);
    return known;
  });
}

/** What is wrong with an allowed origin. */
function originProblem(origin: unknown): string | undefined {
  if (isDeferred(origin)) return undefined;
  if (!isText(origin)) return problemText(origin, FORMS, LOOK_IT_UP);
  if (origin === "null") {
    const fix = "serve the page from a host, or in an app from a scheme of its own";
    return problemText(origin, `${FORMS}; any sandboxed page sends null`, fix);
  }
  if (origin.includes("*")) return wildcardProblem(origin);

  // Compared with the browser's own header, character by character: only what a browser sends can ever match.
  const url = parseUrl(origin);
  const sent = url && originSentBy(url);
  if (/^(https?|wss?):/.test(origin) && url && isPlaceholder(url.hostname)) return placeholderText(origin);
  return sent === origin ? undefined : problemText(origin, FORMS, sent ? write(sent) : adviceWithoutOrigin(origin));
}

/** `https://*.` before a host name, whose names are all of one owner. */
function wildcardProblem(origin: string): string | undefined {
  const url = parseUrl(origin.replace("://*.", "://"));
  if (!/^https:\/\/\*\.[^*]+$/.test(origin) || !url?.hostname) {
    const fix =
      "list the origin of each page (location.origin in its console), or put https://*. before a domain of yours";
    const any = origin === "*" ? "; in a program, allowedOrigins: null checks no origin" : "";
    return problemText(origin, "a wildcard only as the whole first part of a host name, over https", `${fix}${any}`);
  }
  const { hostname, host } = url;
  if (isPlaceholder(hostname)) return placeholderText(origin);
  if (parse(hostname).isIp) {
    return problemText(
      origin,
      "a wildcard only before a domain",
      "list the origin of each page: addresses have no subdomains",
    );
  }
  // The same registrable domain with a label more, or the pages that match are those of different owners.
  const options = { allowPrivateDomains: true };
  const domain = getDomain(hostname, options);
  if (domain === null || getDomain(`any.${hostname}`, options) !== domain) {
    const allowed = `a wildcard only before a domain of yours; names under ${hostname} belong to different owners (public suffix list)`;
    return problemText(origin, allowed, "list the origin of each page of yours");
  }
  return origin === `https://*.${host}` ? undefined : problemText(origin, FORMS, write(`https://*.${host}`));
}

const FORMS = "scheme, host and port as a browser sends them, without path or closing /, or file://";
const LOOK_IT_UP = "write what location.origin is in that page's console";

/**
 * The `Origin` of a page at this address, where it has any: of another scheme than http and https, `URL.origin` is "null",
 * and browsers that know the scheme send it with the host as it is.
 */
function originSentBy({ protocol, host, origin }: URL): string | undefined {
  if (protocol === "file:") return "file://";
  if (/^(about|blob|data|ftp|javascript):$/.test(protocol)) return undefined;
  if (protocol === "ws:" || protocol === "wss:") return `${protocol.replace("ws", "http")}//${host}`;
  if (origin !== "null") return origin;
  return host === "" ? undefined : `${protocol}//${host}`;
}

function adviceWithoutOrigin(text: string): string {
  const isHost = /^[\w-]+(\.[\w-]+)*(:\d+)?\/?$/.test(text);
  return isHost ? "put the scheme before it, https:// or http://" : LOOK_IT_UP;
}

function placeholderText(origin: string): string {
  return problemText(origin, "an origin of yours", "set the origin of your web app");
}

function write(origin: string): string {
  return `write ${JSON.stringify(origin)}`;
}
