#!/bin/sh
# @ag-ui/client 1.0.0 resolves runAgent() for a run that was cut off as it does for one that succeeded: no callback says that
# the run failed, and the result is the same. The AG-UI specification calls a stream without a terminal event a truncated
# run, and forbids reporting it as having succeeded: https://docs.ag-ui.com/spec/1.0/basic/transports
#
# Seen with Node 20.20, an HttpAgent whose server ends the answer in the middle of a message:
#   resolved with the message "Half a"
#   callbacks: onRunFinalized
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts @ag-ui/client@1.0.0 @ag-ui/core@1.0.0 zod@4.4.3

cat > try.mjs <<'JS'
import { once } from "node:events";
import { createServer } from "node:http";
import { HttpAgent } from "@ag-ui/client";

const server = createServer((request, response) => {
  request.setEncoding("utf8");
  let input = "";
  request.on("data", (text) => (input += text));
  request.on("end", () => {
    const { threadId, runId } = JSON.parse(input);
    const events = [
      { type: "RUN_STARTED", threadId, runId },
      { type: "TEXT_MESSAGE_START", messageId: "1", role: "assistant" },
      { type: "TEXT_MESSAGE_CONTENT", messageId: "1", delta: "Half a" },
    ];
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
  });
}).listen(0, "127.0.0.1");
await once(server, "listening");

const called = [];
const names = ["onRunFailed", "onRunErrorEvent", "onRunFinishedEvent", "onRunFinalized"];
const subscriber = Object.fromEntries(names.map((name) => [name, () => void called.push(name)]));
const agent = new HttpAgent({ url: `http://127.0.0.1:${server.address().port}` });
const { newMessages } = await agent.runAgent({}, subscriber);
console.log(`resolved with the message "${newMessages[0].content}"`);
console.log(`callbacks: ${called.join(", ")}`);
server.close();
server.closeAllConnections();
process.exitCode = called.join() === "onRunFinalized" ? 0 : 1;
JS
node try.mjs
