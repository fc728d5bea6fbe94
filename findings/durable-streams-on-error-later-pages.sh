#!/bin/sh
# @durable-streams/client 0.2.7 calls `onError` for the first request of a read only. Its types say that it is called for an
# error during streaming, and its readme's example renews a token in it; but a token that expires between two pages ends the
# read with a 401, and `onError` is not asked.
#
# Seen with Node 20.20, a token that is refused at the first page, and one at the second:
#   first page: onError calls: 1, items 1,2
#   second page: onError calls: 0, HTTP Error 401
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
  "-1": { items: [1], headers: { "stream-next-offset": "a" } },
  a: { items: [2], headers: { "stream-next-offset": "b", "stream-up-to-date": "true" } },
};
let refusedAt;
const server = createServer((request, response) => {
  const offset = new URL(request.url, "http://localhost").searchParams.get("offset");
  const status = offset === refusedAt && request.headers.authorization === "old" ? 401 : 200;
  const { items, headers } = pages[offset];
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(items));
}).listen(0, "127.0.0.1");
await once(server, "listening");

async function read() {
  let calls = 0;
  const onError = () => {
    calls += 1;
    return { headers: { authorization: "new" } };
  };
  let result;
  try {
    const url = `http://127.0.0.1:${server.address().port}`;
    const answer = await stream({ url, headers: { authorization: "old" }, onError });
    // It rejects, too.
    answer.closed.catch(() => {});
    result = `items ${await answer.json()}`;
  } catch ({ message }) {
    result = message.slice(0, 14);
  }
  return `onError calls: ${calls}, ${result}`;
}

refusedAt = "-1";
const first = await read();
refusedAt = "a";
const second = await read();
console.log(`first page: ${first}`);
console.log(`second page: ${second}`);
server.close();
server.closeAllConnections();
const isAsDescribed = first === "onError calls: 1, items 1,2" && second === "onError calls: 0, HTTP Error 401";
process.exitCode = isAsDescribed ? 0 : 1;
JS
node try.mjs
