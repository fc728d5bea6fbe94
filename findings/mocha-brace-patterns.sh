#!/bin/sh
# mocha 12.0.3 finds no file by a quoted pattern whose only special characters are braces, where a shell, or the same
# pattern with an asterisk in it, finds two. Next to a pattern that does find files there is a warning alone, and the
# exit status is 0: a test run is smaller than it looks.
#
# Seen with Node 20.20:
#   tests/{a,b}.test.cjs: Error: No test files found; exit status 1
#   tests/{a,b}.test.c*s: 2 passing
#   tests/{a,b}.test.cjs other.cjs: a warning, 1 passing, exit status 0
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts mocha@12.0.3
mkdir tests
for file in tests/a.test.cjs tests/b.test.cjs other.cjs; do echo 'it("passes", () => {});' > "$file"; done

if npx mocha 'tests/{a,b}.test.cjs' > braces 2>&1; then echo "the braces alone found files"; exit 1; fi
grep "No test files found" braces
npx mocha 'tests/{a,b}.test.c*s' > asterisk
grep "2 passing" asterisk
npx mocha 'tests/{a,b}.test.cjs' other.cjs > both 2>&1
grep "1 passing" both
