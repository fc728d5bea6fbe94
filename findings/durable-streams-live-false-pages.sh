#!/bin/sh
# @durable-streams/client 0.2.7 reads one page of a stream with `live: false`, although the server does not say that the
# page is up to date: json() resolves to that page's items, without an error. Its readme says that json() collects items
# until the stream is up to date, and that `live: false` ends at the first answer that is. With live reading allowed, json()
# does so. An application that trusts the result lacks every message after the first page.
#
# Seen with Node 20.20, a stream of two pages:
#   live: false: items 1,2; upToDate: false; requests: 1
#   live: true: items 1,2,3; upToDate: true; requests: 2
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts @durable-streams/client@0.2.7

cat > try.mjs <<'JS'
import { once } from "node:events";
import { createServer } from "node:http";
import { stream } from "@durable-streams/client";

const pages = {
  "-1": { items: [1, 2], headers: { "stream-next-offset": "a" } },
  a: { items: [3], headers: { "stream-next-offset": "b", "stream-up-to-date": "true" } },
};
let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  const { items, headers } = pages[new URL(request.url, "http://localhost").searchParams.get("offset")];
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(items));
}).listen(0, "127.0.0.1");
await once(server, "listening");

async function read(live) {
  requests = 0;
  const answer = await stream({ url: `http://127.0.0.1:${server.address().port}`, live });
  const items = await answer.json();
  console.log(`live: ${live}: items ${items}; upToDate: ${answer.upToDate}; requests: ${requests}`);
  return items.length;
}

const isAsDescribed = (await read(false)) === 2 && (await read(true)) === 3;
server.close();
server.closeAllConnections();
process.exitCode = isAsDescribed ? 0 : 1;
JS
node try.mjs
