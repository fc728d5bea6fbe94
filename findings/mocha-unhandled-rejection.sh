#!/bin/sh
# mocha 12.0.3 passes a test during which a promise is rejected that nothing handles, and exits with 0. Node by
# itself ends a process for such a rejection (--unhandled-rejections=throw is its default).
#
# Seen with Node 20.20:
#   1 passing
#   exit status 0; the text of the rejection is not printed
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts mocha@12.0.3

cat > try.cjs <<'JS'
it("leaves a rejection behind", () => {
  void Promise.reject(new Error("nothing handles this"));
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
});
JS

status=0
npx mocha try.cjs > output 2>&1 || status=$?
cat output
echo "exit status $status"
test "$status" -eq 0
grep -q "1 passing" output
! grep -q "nothing handles this" output
