#!/bin/sh
# @ag-ui/client 1.0.0: clone() of an agent leaves out the fields that its class has beyond AbstractAgent's, although its page
# says that it makes a deep copy of the instance: https://docs.ag-ui.com/sdk/js/client/abstract-agent
# The copy has the class's methods, so that a run of it fails, or goes to "undefined", only when it reads the field.
#
# Seen with Node 20.20:
#   original: thread 7, url wss://example.dev
#   clone: thread 7, url undefined
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts @ag-ui/client@1.0.0 @ag-ui/core@1.0.0 zod@4.4.3

cat > try.mjs <<'JS'
import { AbstractAgent } from "@ag-ui/client";

class Agent extends AbstractAgent {
  url = "wss://example.dev";
}

const original = new Agent({ threadId: "7" });
const clone = original.clone();
for (const [name, { threadId, url }] of Object.entries({ original, clone })) {
  console.log(`${name}: thread ${threadId}, url ${url}`);
}
const isAsDescribed = clone instanceof Agent && clone.threadId === "7" && clone.url === undefined;
process.exitCode = isAsDescribed ? 0 : 1;
JS
node try.mjs
