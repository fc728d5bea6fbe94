#!/usr/bin/env node
import { addressSources } from "./addressSources";
import { run } from "./program";
import { processTerminal } from "./terminal";

// The SDK warns that it drops Node 20 in 2027, which concerns this package's releases; it would be printed before every result.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

void run(process.argv.slice(2), processTerminal(), addressSources).then((exitCode) => {
  // Not process.exit, which drops output that is still being written to a pipe.
  process.exitCode = exitCode;
});
