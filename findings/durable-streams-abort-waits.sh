#!/bin/sh
# @durable-streams/client 0.2.7 does not end a wait between two attempts when its `signal` is aborted: stream() rejects only
# when the wait is over, which a server's Retry-After can make as long as it likes (an HTTP date: up to an hour). The readme
# gives `signal` for cancellation.
#
# Seen with Node 20.20, a 503 with Retry-After: 3, and an abort before those three seconds:
#   rejected with "Stream request was aborted", after the wait
#   requests: 1
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
const server = createServer((_, response) => {
  requests += 1;
  response.writeHead(503, { "retry-after": "3" }).end();
}).listen(0, "127.0.0.1");
await once(server, "listening");

const cancellation = new AbortController();
let abortedAt;
// Called once the answer is there, before the wait begins.
const onFailedAttempt = () =>
  setTimeout(() => {
    cancellation.abort();
    abortedAt = performance.now();
  }, 100);
const backoffOptions = { initialDelay: 1, maxDelay: 1, multiplier: 1, maxRetries: 5, onFailedAttempt };
const url = `http://127.0.0.1:${server.address().port}`;
const error = await stream({ url, signal: cancellation.signal, backoffOptions }).catch((thrown) => thrown);
const isAfterTheWait = performance.now() - abortedAt > 2_000;
console.log(`rejected with "${error.message}", ${isAfterTheWait ? "after the wait" : "at once"}`);
console.log(`requests: ${requests}`);
server.close();
server.closeAllConnections();
process.exitCode = isAfterTheWait && requests === 1 ? 0 : 1;
JS
node try.mjs
