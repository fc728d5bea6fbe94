import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";

interface Request {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  socket: Pick<Socket, "localPort">;
}

/**
 * Why a request comes out of a page that is not the server's own; undefined where it does not. Whoever runs a server on
 * 127.0.0.1 also visits other pages, and a browser sends their requests here: straight away, or by a name of theirs that
 * resolves to 127.0.0.1 (DNS rebinding). What is no browser sends neither Origin nor Sec-Fetch-Site.
 */
export function foreignRequest({ method, url, headers, socket }: Request): string | undefined {
  const own = [`127.0.0.1:${socket.localPort}`, `localhost:${socket.localPort}`];
  const { host = "", origin, "sec-fetch-site": site, "sec-fetch-mode": mode } = headers;
  if (!own.includes(host)) {
    return `Host: got ${JSON.stringify(host)}; allowed: ${own.join(" and ")}: another name may be a foreign page's`;
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return `Origin: got ${JSON.stringify(origin)}; allowed: http://${host} and none at all: a foreign page drives nothing here`;
  }
  // A link from elsewhere may lead to the page; nothing else may be loaded, not even what has no Origin (images, scripts).
  const isVisit = method === "GET" && mode === "navigate" && url.split("?")[0] === "/";
  if (site !== undefined && !["same-origin", "none"].includes(String(site)) && !isVisit) {
    return `Sec-Fetch-Site: got ${JSON.stringify(site)}; allowed: same-origin, none, and none at all: a foreign page loads nothing here`;
  }
  return undefined;
}
