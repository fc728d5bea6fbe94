import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";

interface Request {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  socket: Pick<Socket, "localPort">;
}

/**
 * The reason to refuse a request of a foreign page; undefined for any other request. A developer's browser also shows other
 * pages, and sends their requests here: directly, or through a name that resolves to 127.0.0.1 (DNS rebinding). Programs
 * other than browsers send neither Origin nor Sec-Fetch-Site.
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
