#!/bin/sh
# @pulumi/pulumi 3.248.0 serializes a class that a function captures without the initializers of its fields, and a bound
# function without an object that it is bound to. Nothing is refused: an instance lacks the fields when the function runs.
# The documentation says that captured values are copied with the function:
# https://www.pulumi.com/docs/iac/concepts/functions/function-serialization/
#
# Seen with Node 20.20:
#   here: 5 and 7; serialized: undefined and undefined
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts @pulumi/pulumi@3.248.0 typescript@5.9.3

cat > try.cjs <<'JS'
const pulumi = require("@pulumi/pulumi");
const { writeFileSync } = require("node:fs");

class Limits {
  most = 5;
}
const bound = function () {
  return this.key;
}.bind({ key: 7 });
const handler = () => [new Limits().most, bound()];

(async () => {
  const { text } = await pulumi.runtime.serializeFunction(handler);
  writeFileSync("serialized.cjs", text);
  const here = handler();
  const serialized = require("./serialized.cjs").handler();
  console.log(`here: ${here.join(" and ")}; serialized: ${serialized.map(String).join(" and ")}`);
  if (serialized.some((value) => value !== undefined)) process.exitCode = 1;
})();
JS
node try.cjs
