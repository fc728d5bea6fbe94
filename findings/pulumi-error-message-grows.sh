#!/bin/sh
# @pulumi/pulumi 3.248.0 changes the message of a program's own error: where an output fails, "error serializing property …"
# is put before the message of the error object itself, once for each resource that takes the output. In 3.245.0 the message
# stays as it was thrown. So what a user reads, or a test compares, depends on how many resources take the output.
#
# Seen with Node 20.20, an output that fails with "too small", taken by three resources:
#   3.245.0: too small
#   3.248.0: three prefixes, then "too small"
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

try() {
  mkdir "$folder/$1"
  cd "$folder/$1"
  npm install --silent --no-audit --no-fund --no-save --ignore-scripts "@pulumi/pulumi@$1"
  cat > try.js <<'JS'
const pulumi = require("@pulumi/pulumi");

class Thing extends pulumi.CustomResource {
  constructor(name, size) {
    super("try:index:Thing", name, { size, next: undefined });
  }
}

const thrown = new Error("too small");
let ended = false;
process.on("unhandledRejection", () => {
  if (ended) return;
  ended = true;
  // Once every resource has had its turn.
  setTimeout(() => {
    console.log(thrown.message);
    process.exit(0);
  }, 1000);
});

pulumi.runtime.setMocks({ call: () => ({}), newResource: ({ name }) => ({ id: name, state: { next: name } }) });
const size = pulumi.output(1).apply(() => { throw thrown; });
for (const name of ["first", "second", "third"]) new Thing(name, size);
JS
  # It exits with 1: Pulumi counts what the failure has left unresolved.
  node try.js 2> /dev/null || true
}

before=$(try 3.245.0)
after=$(try 3.248.0)
echo "3.245.0: $before"
echo "3.248.0: $after"
test "$before" = "too small"
test "$(echo "$after" | grep -o "error serializing property" | wc -l)" -eq 3
