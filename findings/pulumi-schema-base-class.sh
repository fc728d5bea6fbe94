#!/bin/sh
# @pulumi/pulumi 3.248.0 does not find a TypeScript component whose class extends another component's class: it takes a class
# for a component only if it extends ComponentResource itself, and otherwise says that the component may not be imported
# properly. The program exports it, and TypeScript and a Pulumi program take it as a component.
#
# Seen with Node 20.20:
#   extends ComponentResource: found
#   extends a class that does: Failed to find the following components: Thing.
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts @pulumi/pulumi@3.248.0 typescript@5.9.3

cat > tsconfig.json <<'JSON'
{ "compilerOptions": { "strict": true, "target": "es2022", "module": "commonjs", "types": [] }, "files": ["index.ts"] }
JSON
cat > try.cjs <<'JS'
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { Analyzer } = require("@pulumi/pulumi/provider/experimental/analyzer");

const folder = process.cwd();

function find(base) {
  writeFileSync(
    "index.ts",
    `import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
export interface ThingArgs { size: string }
export class Base extends ComponentResource {}
export class Thing extends ${base} {
  constructor(name: string, args: ThingArgs, opts?: ComponentResourceOptions) {
    super("try:index:Thing", name, args, opts);
  }
}
`,
  );
  const analyzer = new Analyzer(folder, "try", { main: join(folder, "index.ts") }, new Set(["Thing"]));
  try {
    return "Thing" in analyzer.analyze().components ? "found" : "not found";
  } catch ({ message }) {
    return message.split("\n")[0];
  }
}

const direct = find("ComponentResource");
const indirect = find("Base");
console.log(`extends ComponentResource: ${direct}`);
console.log(`extends a class that does: ${indirect}`);
process.exitCode = direct === "found" && indirect.startsWith("Failed to find") ? 0 : 1;
JS
node try.cjs
