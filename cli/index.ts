#!/usr/bin/env node
import { addressSources } from "./addressSources";
import { run } from "./program";
import { processTerminal } from "./terminal";

// The SDK will leave Node 20 in 2027. That is for this package's next releases, and would stand above every answer.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

void run(process.argv.slice(2), processTerminal(), addressSources).then((exitCode) => {
  // Not process.exit, which cuts off what is still being written to a pipe.
  process.exitCode = exitCode;
});
