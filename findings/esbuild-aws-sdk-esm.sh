#!/bin/sh
# esbuild 0.28.2 bundles @aws-sdk/client-sns 3.1169.0 for Node into an ES module that fails when it is loaded: for
# --platform=node esbuild prefers a package's "main" to its "module", the SDK's "main" is CommonJS, and the require calls of
# that cannot run in an ES module. With --main-fields=module,main the same bundle loads.
#
# Seen with Node 20.20:
#   default main fields: Dynamic require of "node:https" is not supported (the module may differ)
#   --main-fields=module,main: loaded
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save esbuild@0.28.2 @aws-sdk/client-sns@3.1169.0

cat > try.mjs <<'JS'
import { SNSClient } from "@aws-sdk/client-sns";
console.log(new SNSClient({ region: "us-east-1" }) ? "loaded" : "");
JS

npx esbuild try.mjs --bundle --platform=node --format=esm --outfile=default.mjs --log-level=error
npx esbuild try.mjs --bundle --platform=node --format=esm --main-fields=module,main --outfile=module.mjs --log-level=error
if node default.mjs > default.txt 2>&1; then echo "the default bundle loads"; exit 1; fi
grep -o 'Dynamic require of "[^"]*" is not supported' default.txt
test "$(node module.mjs 2> /dev/null)" = loaded
