#!/bin/sh
# @ag-ui/client 1.0.0: abortRun() of an AbstractAgent does nothing, although its page says that it cancels the execution:
# https://docs.ag-ui.com/sdk/js/client/abstract-agent
# An agent with a transport of its own goes on running when the user stops it, unless it overrides the method; no error
# and no type asks for that. detachActiveRun(), which the page does not name, ends the run.
#
# Seen with Node 20.20:
#   after abortRun(): running, still subscribed
#   after detachActiveRun(): not running, not subscribed
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts @ag-ui/client@1.0.0 @ag-ui/core@1.0.0 zod@4.4.3

cat > try.mjs <<'JS'
import { AbstractAgent } from "@ag-ui/client";
import { Observable } from "rxjs";

let isSubscribed = false;
class Agent extends AbstractAgent {
  run({ threadId, runId }) {
    return new Observable((events) => {
      isSubscribed = true;
      events.next({ type: "RUN_STARTED", threadId, runId });
      return () => {
        isSubscribed = false;
      };
    });
  }
}

const agent = new Agent();
const state = () => `${agent.isRunning ? "running" : "not running"}, ${isSubscribed ? "still" : "not"} subscribed`;
const started = new Promise((resolve) => agent.subscribe({ onRunStartedEvent: () => resolve() }));
const run = agent.runAgent();
await started;
agent.abortRun();
// What an abort may do later.
await new Promise((resolve) => setTimeout(resolve, 200));
const aborted = state();
console.log(`after abortRun(): ${aborted}`);
await agent.detachActiveRun();
await run;
const detached = state();
console.log(`after detachActiveRun(): ${detached}`);
const isAsDescribed = aborted === "running, still subscribed" && detached === "not running, not subscribed";
process.exitCode = isAsDescribed ? 0 : 1;
JS
node try.mjs
