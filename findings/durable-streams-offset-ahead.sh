#!/bin/sh
# @durable-streams/client 0.2.7: while an application handles an item of jsonStream(), `offset` is already that of
# pages that the client has fetched but not handed over. An application that stores it as its position skips them when it
# reads on from there. The types say that the offset advances once data is delivered to the consumer and not when it is
# fetched, and recommend it for positions.
#
# Seen with Node 20.20, pages of one item, whose offsets are "a" after the first, and so on:
#   while item 1 is handled: offset c
#   read on from there: items 4,5
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
  a: { items: [2], headers: { "stream-next-offset": "b" } },
  b: { items: [3], headers: { "stream-next-offset": "c" } },
  c: { items: [4], headers: { "stream-next-offset": "d" } },
  d: { items: [5], headers: { "stream-next-offset": "e", "stream-up-to-date": "true" } },
};
const server = createServer((request, response) => {
  const { items, headers } = pages[new URL(request.url, "http://localhost").searchParams.get("offset")];
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(items));
}).listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${server.address().port}`;

const answer = await stream({ url });
let stored;
for await (const item of answer.jsonStream()) {
  // As long as a write of the item to a database may take.
  await new Promise((resolve) => setTimeout(resolve, 500));
  stored = answer.offset;
  console.log(`while item ${item} is handled: offset ${stored}`);
  break;
}
const rest = await (await stream({ url, offset: stored })).json();
console.log(`read on from there: items ${rest}`);
server.close();
server.closeAllConnections();
process.exitCode = stored === "c" && rest.join() === "4,5" ? 0 : 1;
JS
node try.mjs
