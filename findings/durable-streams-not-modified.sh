#!/bin/sh
# @durable-streams/client 0.2.7 takes a 304 for a failure that may pass: it sends the same conditional request again until its
# attempts are over, and by default they are not limited. The protocol has servers send ETag and answer If-None-Match with
# 304 for a page that has not changed, and the client's `headers` are the only way to ask so outside a browser:
# https://github.com/durable-streams/durable-streams/blob/main/PROTOCOL.md
#
# Seen with Node 20.20, with `maxRetries: 2`:
#   FetchError 304 after 3 requests
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

let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  response.writeHead(request.headers["if-none-match"] === '"1"' ? 304 : 200, { etag: '"1"' }).end();
}).listen(0, "127.0.0.1");
await once(server, "listening");

const url = `http://127.0.0.1:${server.address().port}`;
const backoffOptions = { initialDelay: 1, maxDelay: 1, multiplier: 1, maxRetries: 2 };
const error = await stream({ url, live: false, headers: { "if-none-match": '"1"' }, backoffOptions }).catch(
  (thrown) => thrown,
);
console.log(`${error.name} ${error.status} after ${requests} requests`);
server.close();
server.closeAllConnections();
process.exitCode = error.status === 304 && requests === 3 ? 0 : 1;
JS
node try.mjs
