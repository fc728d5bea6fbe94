#!/bin/sh
# Every client of the AWS SDK 3.1169.0 imports its own package.json for the version in its user agent, and esbuild 0.28.2
# bundles the whole file, dependencies and scripts included: about 2 kB of each client, minified.
#
# Seen with Node 20.20, bytes of package.json in the minified bundle:
#   @aws-sdk/client-sqs: over 2,000
#   @aws-sdk/client-dynamodb: over 2,000
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save esbuild@0.28.2 @aws-sdk/client-sqs@3.1169.0 \
  @aws-sdk/client-dynamodb@3.1169.0

cat > try.mjs <<'JS'
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
console.log(DynamoDBClient, SQSClient);
JS
cat > measure.mjs <<'JS'
import { build } from "esbuild";

const { metafile } = await build({
  ...{ entryPoints: ["try.mjs"], bundle: true, minify: true, write: false, metafile: true },
  ...{ platform: "node", mainFields: ["module", "main"] },
});
const [{ inputs }] = Object.values(metafile.outputs);
const sizes = Object.entries(inputs).filter(([path]) => /client-[\w-]+\/package\.json$/.test(path));
for (const [path, { bytesInOutput }] of sizes) console.log(path, bytesInOutput);
if (sizes.length !== 2 || sizes.some(([, { bytesInOutput }]) => bytesInOutput < 2_000)) process.exit(1);
JS
node measure.mjs
