#!/bin/sh
# @durable-streams/client 0.2.7 reports an error after the first page twice: the read rejects, and so does `closed`, a promise
# that the client makes whether or not the application reads it. So an application that catches the error of its read still
# has an unhandled rejection, and Node.js ends the process for that by default. The readme says that `closed` resolves when
# the session is complete or cancelled, and the types that it resolves after a terminal error.
#
# Seen with Node 20.20, a second page that is answered 410:
#   caught: HTTP Error 410
#   unhandled: HTTP Error 410
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

const server = createServer((request, response) => {
  const isFirst = new URL(request.url, "http://localhost").searchParams.get("offset") === "-1";
  const headers = { "content-type": "application/json", "stream-next-offset": "a" };
  response.writeHead(isFirst ? 200 : 410, headers).end("[1]");
}).listen(0, "127.0.0.1");
await once(server, "listening");

const unhandled = [];
process.on("unhandledRejection", ({ message }) => unhandled.push(message.slice(0, 14)));

const answer = await stream({ url: `http://127.0.0.1:${server.address().port}` });
let caught = "nothing";
try {
  await answer.json();
} catch ({ message }) {
  caught = message.slice(0, 14);
}
// Node tells of unhandled rejections before it runs timers.
await new Promise((resolve) => setTimeout(resolve));
console.log(`caught: ${caught}`);
console.log(`unhandled: ${unhandled.join(", ") || "nothing"}`);
server.close();
server.closeAllConnections();
process.exitCode = caught === "HTTP Error 410" && unhandled.join() === caught ? 0 : 1;
JS
node try.mjs
